//! Copies images and other artifacts from one repository to another, byte for byte, without an engine.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use oci_spec::image::Descriptor;
use tokio::sync::OnceCell;

use super::{App, AppError};
use crate::{
    ports::{
        Blob, BlobStream, Contents, Keyring, Manifest, Registry, RegistryError, RegistryLogin,
        Repository, Right, Upload, name_of, written,
    },
    spec::reference::Reference,
};

/// How many blobs or manifests are under way at once.
const AT_ONCE: usize = 6;
/// How deep indexes may lie in indexes.
const DEEPEST: usize = 4;
/// Tries of one blob after the first.
const MORE_TRIES: usize = 5;
/// The wait before the second try; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait that a registry can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It was there already.
    Present,
    /// The registry took it over from another of its repositories.
    Mounted,
    /// Its bytes were sent.
    Sent,
}

/// Told how a copy goes on.
pub trait CopyWatcher: Send + Sync {
    /// So many more bytes have to be copied, unless they turn out to be there.
    fn expects(&self, bytes: u64);
    /// So many bytes went on their way; those of a try that failed are taken back.
    fn sent(&self, bytes: i64);
    /// A blob is done.
    fn blob(&self, digest: &str, size_bytes: u64, how: Moved);
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The digest, the same on both sides.
    pub digest: String,
    /// Where it is now.
    pub image: String,
}

/// What to copy, and where.
#[derive(Debug, Clone)]
pub struct CopyRequest {
    /// The image to copy.
    pub source: Reference,
    /// Where to; without a tag it gets the source's.
    pub target: Reference,
    /// The one platform of an index to copy; `None` copies all of it.
    pub platform: Option<String>,
}

impl App {
    /// Copies an image, an index with all its images, or any other artifact.
    pub async fn copy_image(
        &self,
        request: &CopyRequest,
        docker: &[RegistryLogin],
        watcher: &dyn CopyWatcher,
    ) -> Result<Copied, AppError> {
        let keyring = self.keyring(docker).await?;
        let to = target(&keyring, &request.target).await?;
        let copy = Copy {
            registry: self.ports.registry.as_ref(),
            from: keyring.repository(&request.source, Right::Pull).await,
            to,
            watcher,
            blobs: Mutex::default(),
        };
        let source = name_of(&request.source);
        let name = match (&request.source.digest, &request.platform) {
            (_, Some(_)) => {
                let platform = request.platform.as_deref();
                copy.registry.resolve(&copy.from, &source, platform).await?
            }
            _ => source.clone(),
        };
        let manifest = copy.registry.manifest(&copy.from, &name).await?;
        let own = request.target.tag.clone().or(request.source.tag.clone());
        let tag = own.unwrap_or_else(|| manifest.digest.clone());
        copy.manifest(&manifest, &tag, 0).await?;
        Ok(Copied {
            image: written(&copy.to, &tag),
            digest: manifest.digest,
        })
    }
}

async fn target(keyring: &Keyring, image: &Reference) -> Result<Repository, AppError> {
    let credential = keyring.find(image, Right::Push).await;
    if let Some(found) = credential.as_ref().filter(|it| it.pull_only) {
        return Err(AppError::usage(
            format!("{} is for pulls only", found.title()),
            "Add a connection that may push there",
        ));
    }
    Ok(Repository::of(
        image,
        credential.as_ref().map(|it| &it.login),
    ))
}

/// One copy under way.
struct Copy<'a> {
    registry: &'a dyn Registry,
    from: Repository,
    to: Repository,
    watcher: &'a dyn CopyWatcher,
    /// Blobs that are done or under way: images of one index share many.
    blobs: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
}

impl Copy<'_> {
    /// Copies what a manifest lists, and then the manifest, for registries take none that lists what they miss.
    fn manifest<'b>(
        &'b self,
        manifest: &'b Manifest,
        name: &'b str,
        depth: usize,
    ) -> BoxFuture<'b, Result<(), RegistryError>> {
        Box::pin(async move {
            let contents = manifest.contents().map_err(|reason| self.odd(reason))?;
            if depth > DEEPEST {
                return Err(self.odd("its indexes lie too deep in each other".to_owned()));
            }
            stream::iter(wanted(&contents))
                .map(|blob| self.blob_once(blob))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            stream::iter(contents.manifests)
                .map(|child| self.child(child, depth + 1))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            self.registry.put_manifest(&self.to, name, manifest).await
        })
    }

    async fn child(&self, child: Descriptor, depth: usize) -> Result<(), RegistryError> {
        let digest = child.digest().to_string();
        let manifest = self.registry.manifest(&self.from, &digest).await?;
        self.manifest(&manifest, &digest, depth).await
    }

    async fn blob_once(&self, blob: Blob) -> Result<(), RegistryError> {
        let cell = {
            let mut blobs = self.blobs.lock().expect("no one panics with this lock");
            Arc::clone(blobs.entry(blob.digest.clone()).or_default())
        };
        cell.get_or_try_init(|| self.blob(&blob)).await.map(drop)
    }

    async fn blob(&self, blob: &Blob) -> Result<(), RegistryError> {
        self.watcher.expects(blob.size_bytes);
        let patience = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(MORE_TRIES)
            .with_jitter();
        let longest = LONGEST_WAIT;
        let moved = (|| self.blob_one_try(blob))
            .retry(patience)
            .when(RegistryError::is_passing)
            .adjust(|error, wait| wait.map(|it| error.retry_after().unwrap_or(it).min(longest)))
            .await?;
        self.watcher.blob(&blob.digest, blob.size_bytes, moved);
        Ok(())
    }

    async fn blob_one_try(&self, blob: &Blob) -> Result<Moved, RegistryError> {
        if self.registry.has_blob(&self.to, &blob.digest).await? {
            return Ok(Moved::Present);
        }
        let is_near = self.from.host.eq_ignore_ascii_case(&self.to.host);
        let near = is_near.then_some(self.from.path.as_str());
        let upload = match self.begin(blob, near).await? {
            Upload::Mounted => return Ok(Moved::Mounted),
            Upload::Open(upload) => upload,
        };
        let bytes = self.registry.blob(&self.from, &blob.digest).await?;
        let mut counted = 0;
        let (bytes, count) = counting(bytes);
        let mut write = std::pin::pin!(self.registry.write_blob(&self.to, &upload, blob, bytes));
        let mut count = count;
        let written = loop {
            tokio::select! {
                Some(more) = count.recv() => {
                    counted += more;
                    self.watcher.sent(more);
                }
                written = &mut write => break written,
            }
        };
        if let Err(error) = written {
            self.watcher.sent(-counted);
            return Err(error);
        }
        Ok(Moved::Sent)
    }

    /// Opens an upload; whoever may not read the other repository there sends the bytes.
    async fn begin(&self, blob: &Blob, near: Option<&str>) -> Result<Upload, RegistryError> {
        let begun = self.registry.begin_blob(&self.to, &blob.digest, near).await;
        match begun {
            Err(RegistryError::Denied { .. }) if near.is_some() => {
                self.registry.begin_blob(&self.to, &blob.digest, None).await
            }
            other => other,
        }
    }

    fn odd(&self, reason: String) -> RegistryError {
        RegistryError::Odd {
            host: self.from.host.clone(),
            reason,
        }
    }
}

/// Lists the blobs to copy. Layers that their makers let nobody pass on are named by address and kept in no registry.
fn wanted(contents: &Contents) -> Vec<Blob> {
    let mut found = Vec::new();
    for blob in contents.blobs() {
        if blob.urls().as_ref().is_none_or(Vec::is_empty) {
            found.push(Blob {
                digest: blob.digest().to_string(),
                size_bytes: blob.size(),
            });
        }
    }
    found
}

/// Counts the bytes of a stream as they pass.
fn counting(bytes: BlobStream) -> (BlobStream, tokio::sync::mpsc::UnboundedReceiver<i64>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let counted = bytes.inspect_ok(move |piece| {
        // Nobody listens any more when the copy was given up.
        let _ = sender.send(i64::try_from(piece.len()).unwrap_or(i64::MAX));
    });
    (counted.boxed(), receiver)
}
