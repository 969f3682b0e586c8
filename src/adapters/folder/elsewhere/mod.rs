//! Contexts of other machines, from standard input, and folders kept for a rerun: all opened as folders of a cache.

mod archive;
mod artifact;
mod blocking;
mod compression;
mod failure;
mod git;
mod kept;
mod marks;
mod seen;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;

use self::{blocking::blocking, failure::Failing, marks::Mark};
use super::{
    Caps, Hidden,
    cache::{Cache, Draft, Kept},
};
use crate::{
    ports::{
        Access, BuildFiles, Contexts, DownloadError, Downloads, OpenError, Opened, Pin, Registry,
        TarStream,
    },
    spec::context::{ContextRef, GitRef},
};

/// The largest download of one context: archives and packs of git, before they are unpacked.
const DOWNLOAD_BYTES: u64 = 8 << 30;

/// How much is taken from others, and kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// What one context may unpack to.
    pub caps: Caps,
    /// What one download may come to.
    pub download_bytes: u64,
    /// What of one folder of this machine is kept for reruns.
    pub keep: Caps,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            caps: Caps::default(),
            download_bytes: DOWNLOAD_BYTES,
            keep: kept::CAPS,
        }
    }
}

/// Opens contexts into a cache.
#[derive(Clone)]
pub struct Elsewhere {
    cache: Cache,
    downloads: Arc<dyn Downloads>,
    registry: Arc<dyn Registry>,
    bounds: Bounds,
    hidden: Hidden,
}

impl Elsewhere {
    /// Opens contexts into this cache, getting archives by these downloads and artifacts from registries.
    pub fn new(
        cache: Cache,
        downloads: Arc<dyn Downloads>,
        registry: Arc<dyn Registry>,
        bounds: Bounds,
    ) -> Elsewhere {
        Elsewhere {
            cache,
            downloads,
            registry,
            bounds,
            hidden: Hidden::default(),
        }
    }

    /// Leaves these paths out of what is kept of folders.
    pub fn without(self, hidden: Hidden) -> Elsewhere {
        Elsewhere { hidden, ..self }
    }

    async fn find(&self, name: &str, failing: &Failing) -> Result<Option<Kept>, OpenError> {
        let (cache, name) = (self.cache.clone(), name.to_owned());
        blocking(failing, move || cache.find(&name)).await
    }

    async fn put(&self, draft: Draft, name: String, failing: &Failing) -> Result<Kept, OpenError> {
        let cache = self.cache.clone();
        blocking(failing, move || cache.put(draft, &name)).await
    }

    async fn download(
        &self,
        (url, access): (&str, &Access),
        recorded: Option<&str>,
        failing: &Failing,
    ) -> Result<Opened, OpenError> {
        let mark = marks::read(self.cache.root(), url, access);
        let known = match &mark {
            Some(mark) => self.find(&archive::name_of(&mark.digest), failing).await?,
            None => None,
        };
        let etag = mark.as_ref().filter(|_| known.is_some());
        let etag = etag.map(|mark| mark.etag.as_str());
        let found = match (self.downloads.get(url, access, etag).await, known, mark) {
            (Err(DownloadError::Unchanged), Some(kept), Some(mark)) => {
                return settle((url, kept), mark.digest, recorded, failing);
            }
            (found, ..) => found.map_err(|error| failing.downloading(error))?,
        };
        let taken = archive::take(self, found.body, failing).await?;
        let digest = format!("sha256:{}", taken.digest);
        let kept = archive::unpack_taken(self, taken, failing).await?;
        if let Some(etag) = found.etag {
            let digest = digest.clone();
            marks::write(self.cache.root(), url, access, &Mark { etag, digest });
        }
        settle((url, kept), digest, recorded, failing)
    }

    async fn reopen_archive(
        &self,
        (url, digest): (Option<&str>, &str),
        access: &Access,
    ) -> Result<Opened, OpenError> {
        let failing = Failing::of(url.unwrap_or("-"));
        if let Some(kept) = self.find(&archive::name_of(digest), &failing).await? {
            let (url, digest) = (url.map(str::to_owned), digest.to_owned());
            return Ok(opened(kept, Pin::Archive { url, digest }));
        }
        match url {
            Some(url) => self.download((url, access), Some(digest), &failing).await,
            None => Err(failing.changed(
                "what came on standard input is not kept any more",
                "Run it anew and give it again",
            )),
        }
    }
}

#[async_trait]
impl Contexts for Elsewhere {
    async fn open(&self, context: &ContextRef, access: &Access) -> Result<Opened, OpenError> {
        let failing = Failing::of(context);
        match context {
            ContextRef::Git(git) => git::open(self, git, access).await,
            ContextRef::Archive(url) => self.download((url, access), None, &failing).await,
            ContextRef::Artifact(name) => artifact::open(self, (name, None), access).await,
            ContextRef::Nothing | ContextRef::Folder(_) | ContextRef::Stdin => {
                Err(failing.refused("it is no context of another machine", ""))
            }
        }
    }

    async fn heads(
        &self,
        git: &GitRef,
        access: &Access,
    ) -> Result<Vec<(String, String)>, OpenError> {
        git::heads(self, git, access).await
    }

    async fn reopen(&self, pin: &Pin, access: &Access) -> Result<Opened, OpenError> {
        match pin {
            Pin::Commit {
                url,
                reference,
                commit,
                directory,
            } => {
                let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
                let git = GitRef {
                    url: url.clone(),
                    reference: given(reference),
                    directory: given(directory),
                };
                git::reopen(self, &git, commit, access).await
            }
            Pin::Archive { url, digest } => {
                self.reopen_archive((url.as_deref(), digest), access).await
            }
            Pin::Artifact { name, digest } => {
                artifact::open(self, (name, Some(digest)), access).await
            }
            Pin::Folder { digest } => kept::open(self, digest).await,
            Pin::Upload { digest } => Err(Failing::of(digest).refused(
                "it was sent to a server, which alone has it",
                "Send it again with careen run --server",
            )),
        }
    }

    async fn receive(&self, input: TarStream) -> Result<Opened, OpenError> {
        let failing = Failing::of("-");
        let taken = archive::take(self, input, &failing).await?;
        let digest = format!("sha256:{}", taken.digest);
        let kept = archive::unpack_taken(self, taken, &failing).await?;
        Ok(opened(kept, Pin::Archive { url: None, digest }))
    }

    async fn keep(&self, folder: &Path, builds: &[BuildFiles]) -> Result<Option<Pin>, OpenError> {
        kept::keep(self, folder, builds).await
    }
}

/// Takes an archive that was got, if it is the one that was recorded.
fn settle(
    (url, kept): (&str, Kept),
    digest: String,
    recorded: Option<&str>,
    failing: &Failing,
) -> Result<Opened, OpenError> {
    match recorded.filter(|it| *it != digest) {
        Some(recorded) => Err(failing.changed(
            format!("it is {digest} now, and the run recorded {recorded}"),
            "Run it anew to take it as it is now",
        )),
        None => {
            let url = Some(url.to_owned());
            Ok(opened(kept, Pin::Archive { url, digest }))
        }
    }
}

fn opened(kept: Kept, pin: Pin) -> Opened {
    Opened {
        folder: kept.tree.clone(),
        directory: String::new(),
        pin,
        git: None,
        remarks: Vec::new(),
        held: Box::new(kept),
    }
}

/// Checks that a folder of a context is there, and not behind a link that leads out.
fn check_directory(tree: &Path, directory: &str, failing: &Failing) -> Result<(), OpenError> {
    let inner = tree.join(directory).canonicalize();
    let root = tree
        .canonicalize()
        .map_err(|error| failing.machine(error))?;
    match inner {
        Ok(path) if !path.starts_with(&root) => {
            Err(failing.refused(format!("the folder {directory} leads out of it"), ""))
        }
        Ok(path) if path.is_dir() => Ok(()),
        Ok(_) => Err(failing.missing(format!("{directory} is no folder"), "")),
        Err(_) => Err(failing.missing(format!("it has no folder {directory}"), "")),
    }
}
