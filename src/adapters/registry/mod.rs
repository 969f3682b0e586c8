//! Registries over HTTP, by the OCI distribution protocol.

mod blobs;
mod call;
mod challenge;
mod host;
mod manifests;
mod refusals;
mod tags;
mod tokens;
mod trust;
mod uploads;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use self::{host::Host, tokens::Tokens};
use crate::ports::{
    Blob, BlobStream, Head, Manifest, Registry, RegistryError, Repository, Right, Trust, Upload,
};

/// Where docker keeps certificates of private authorities, a folder for each host.
const DOCKER_CERTIFICATES: &str = "/etc/docker/certs.d";
/// The wait before the second try; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait that a registry can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How registries are spoken to.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Folders of private authorities' certificates: `HOST/*.crt` in each.
    pub certificates: Vec<PathBuf>,
    /// The wait before the second try.
    pub first_wait: Duration,
    /// The longest wait between tries, whatever a registry asks for.
    pub longest_wait: Duration,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            certificates: vec![PathBuf::from(DOCKER_CERTIFICATES)],
            first_wait: FIRST_WAIT,
            longest_wait: LONGEST_WAIT,
        }
    }
}

/// Speaks to registries; keeps connections and tokens for the next call.
pub struct HttpRegistry {
    terms: Terms,
    hosts: Mutex<BTreeMap<String, Arc<OnceCell<Host>>>>,
    trusted: Mutex<BTreeMap<String, Trust>>,
    tokens: Tokens,
}

impl HttpRegistry {
    /// Speaks on these terms.
    pub fn new(terms: Terms) -> HttpRegistry {
        // Whoever comes first chooses; all of us choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        HttpRegistry {
            terms,
            hosts: Mutex::default(),
            trusted: Mutex::default(),
            tokens: Tokens::default(),
        }
    }
}

#[async_trait]
impl Registry for HttpRegistry {
    fn trust(&self, host: &str, trust: &Trust) {
        self.note(host, trust);
    }

    async fn reach(&self, host: &str) -> Result<bool, RegistryError> {
        tags::reach(self, host).await
    }

    async fn ping(&self, at: &Repository) -> Result<(), RegistryError> {
        tags::ping(self, at).await
    }

    async fn head(
        &self,
        at: &Repository,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Head, RegistryError> {
        manifests::head(self, at, name, etag).await
    }

    async fn head_once(
        &self,
        at: &Repository,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Head, RegistryError> {
        manifests::head_once(self, at, name, etag).await
    }

    async fn manifest(&self, at: &Repository, name: &str) -> Result<Manifest, RegistryError> {
        manifests::get(self, at, name).await
    }

    async fn put_manifest(
        &self,
        at: &Repository,
        name: &str,
        manifest: &Manifest,
    ) -> Result<(), RegistryError> {
        manifests::put(self, at, name, manifest).await
    }

    async fn delete_manifest(&self, at: &Repository, digest: &str) -> Result<(), RegistryError> {
        manifests::delete(self, at, digest).await
    }

    async fn tags(&self, at: &Repository) -> Result<Vec<String>, RegistryError> {
        tags::list(self, at).await
    }

    async fn has_blob(&self, at: &Repository, digest: &str) -> Result<bool, RegistryError> {
        blobs::is_there(self, at, digest).await
    }

    async fn blob(&self, at: &Repository, digest: &str) -> Result<BlobStream, RegistryError> {
        blobs::open(self, at, digest).await
    }

    async fn begin_blob(
        &self,
        at: &Repository,
        digest: &str,
        from: Option<&str>,
    ) -> Result<Upload, RegistryError> {
        blobs::begin(self, at, digest, from).await
    }

    async fn write_blob(
        &self,
        at: &Repository,
        upload: &str,
        blob: &Blob,
        bytes: BlobStream,
    ) -> Result<(), RegistryError> {
        blobs::write(self, at, (upload, blob), bytes).await
    }

    async fn stream_blob(
        &self,
        at: &Repository,
        bytes: BlobStream,
        digest: BoxFuture<'_, Option<String>>,
    ) -> Result<(), RegistryError> {
        blobs::stream(self, at, bytes, digest).await
    }

    async fn cancel_blob(&self, at: &Repository, upload: &str) -> Result<(), RegistryError> {
        blobs::cancel(self, at, upload).await
    }
}

/// What a call wants to do, in the words of token scopes.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    right: Right,
    /// Another repository that is read from.
    from: Option<&'a str>,
}

impl Scope<'static> {
    const PULL: Scope<'static> = Scope::of(Right::Pull);
    const PUSH: Scope<'static> = Scope::of(Right::Push);
    const DELETE: Scope<'static> = Scope::of(Right::Delete);

    const fn of(right: Right) -> Scope<'static> {
        Scope { right, from: None }
    }
}

impl Scope<'_> {
    /// The scopes to ask a token for.
    fn words(&self, at: &Repository) -> Vec<String> {
        let actions = match self.right {
            Right::Pull => "pull",
            Right::Push => "pull,push",
            Right::Delete => "pull,delete",
        };
        let own = (!at.path.is_empty()).then(|| format!("repository:{}:{actions}", at.path));
        let other = self.from.map(|path| format!("repository:{path}:pull"));
        own.into_iter().chain(other).collect()
    }
}
