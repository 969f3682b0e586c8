//! A registry of images and other artifacts, as the OCI distribution protocol has it.
//!
//! Every call tries again by itself when a network or a registry falters, except `reach`, which is about just that,
//! and `write_blob`, whose bytes are gone: its caller opens the blob and an upload again. All calls may run at once.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Manifest, RegistryError, RegistryLogin};
use crate::spec::reference::Reference;

/// A repository of a registry, and the credential to use there.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The registry's host as references name it, such as `r.example.com:5000`.
    pub host: String,
    /// The repository's path, such as `library/busybox`.
    pub path: String,
    /// The credential; `None` goes without.
    pub login: Option<RegistryLogin>,
}

impl Repository {
    /// The repository that an image reference is in.
    pub fn of(image: &Reference, login: Option<&RegistryLogin>) -> Repository {
        Repository {
            host: image.domain.clone(),
            path: image.path.clone(),
            login: login.cloned(),
        }
    }

    /// Host and path.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }
}

/// What may be done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Reading.
    Pull,
    /// Writing, and the reading that goes with it.
    Push,
    /// Deleting.
    Delete,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Right::Pull => "pull",
            Right::Push => "push",
            Right::Delete => "delete",
        })
    }
}

/// What looking at a manifest without taking it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// It is the one whose entity tag was given.
    Unchanged,
    /// It is this one.
    Found {
        /// Its digest.
        digest: String,
        /// Its media type.
        media_type: String,
        /// Its entity tag, to be given next time.
        etag: Option<String>,
    },
}

/// A blob to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// What became of the wish to write a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upload {
    /// The registry has taken the blob over from another of its repositories.
    Mounted,
    /// The bytes may come, to this address.
    Open(String),
}

/// The bytes of a blob, in pieces; checked against its digest when they end.
pub type BlobStream = BoxStream<'static, Result<Bytes, RegistryError>>;

/// How a host is trusted, beyond what goes without saying.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// The certificate of the private authority that vouches for it, in PEM.
    pub authority: Option<String>,
    /// Whether it may be spoken to in plain http.
    pub plain_http: bool,
}

/// Registries, all of them: each call names the repository it is about.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Takes note of how a host is trusted from now on.
    fn trust(&self, host: &str, trust: &Trust);
    /// Reaches the registry without a credential, once; says whether the connection is encrypted.
    async fn reach(&self, host: &str) -> Result<bool, RegistryError>;
    /// Shows the registry the credential; touches no repository.
    async fn ping(&self, at: &Repository) -> Result<(), RegistryError>;
    /// Looks at a manifest by tag or digest; `etag` is what an earlier look gave.
    async fn head(
        &self,
        at: &Repository,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Head, RegistryError>;
    /// Looks once, without trying again: for whoever looks again in any case, and must not ask too often.
    async fn head_once(
        &self,
        at: &Repository,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Head, RegistryError> {
        self.head(at, name, etag).await
    }
    /// Gets a manifest by tag or digest.
    async fn manifest(&self, at: &Repository, name: &str) -> Result<Manifest, RegistryError>;
    /// Writes a manifest under a tag or its digest; what it lists must be there.
    async fn put_manifest(
        &self,
        at: &Repository,
        name: &str,
        manifest: &Manifest,
    ) -> Result<(), RegistryError>;
    /// Deletes a manifest by digest, and with it all its tags.
    async fn delete_manifest(&self, at: &Repository, digest: &str) -> Result<(), RegistryError>;
    /// Lists the tags of a repository.
    async fn tags(&self, at: &Repository) -> Result<Vec<String>, RegistryError>;
    /// Says whether a blob is there.
    async fn has_blob(&self, at: &Repository, digest: &str) -> Result<bool, RegistryError>;
    /// Opens a blob.
    async fn blob(&self, at: &Repository, digest: &str) -> Result<BlobStream, RegistryError>;
    /// Asks to write a blob; `from` is a repository of the same registry that has it, to be taken from there.
    async fn begin_blob(
        &self,
        at: &Repository,
        digest: &str,
        from: Option<&str>,
    ) -> Result<Upload, RegistryError>;
    /// Writes a blob to an upload that was opened; once, without trying again.
    async fn write_blob(
        &self,
        at: &Repository,
        upload: &str,
        blob: &Blob,
        bytes: BlobStream,
    ) -> Result<(), RegistryError>;
    /// Writes a blob whose digest is known only once its bytes have ended; once, without trying again. Nothing is written
    /// when `digest` comes to nothing.
    async fn stream_blob(
        &self,
        at: &Repository,
        bytes: BlobStream,
        digest: BoxFuture<'_, Option<String>>,
    ) -> Result<(), RegistryError>;
    /// Gives an open upload up.
    async fn cancel_blob(&self, at: &Repository, upload: &str) -> Result<(), RegistryError>;

    /// Finds the digest behind a tag: of the whole index, or of the platform's own manifest when one is named.
    async fn resolve(
        &self,
        at: &Repository,
        name: &str,
        platform: Option<&str>,
    ) -> Result<String, RegistryError> {
        let Some(platform) = platform else {
            return match self.head(at, name, None).await? {
                Head::Found { digest, .. } => Ok(digest),
                Head::Unchanged => Err(odd(at, "it answered a question that was not asked")),
            };
        };
        let manifest = self.manifest(at, name).await?;
        let contents = manifest.contents().map_err(|reason| odd(at, &reason))?;
        if !contents.is_index() {
            return Ok(manifest.digest);
        }
        let found = contents.for_platform(platform);
        found
            .map(|it| it.digest().to_string())
            .ok_or_else(|| RegistryError::NoSuchPlatform {
                image: written(at, name),
                platform: platform.to_owned(),
                there: contents.platforms(),
            })
    }
}

/// A small blob as a stream.
pub fn whole(bytes: impl Into<Bytes>) -> BlobStream {
    let bytes = bytes.into();
    stream::once(async move { Ok(bytes) }).boxed()
}

/// What an image reference names in its repository: the digest, else the tag.
pub fn name_of(image: &Reference) -> String {
    let name = image.digest.clone().or_else(|| image.tag.clone());
    name.unwrap_or_else(|| "latest".to_owned())
}

/// Writes an image as people do: with `:` before a tag and `@` before a digest.
pub fn written(at: &Repository, name: &str) -> String {
    let mark = if name.contains(':') { '@' } else { ':' };
    format!("{}{mark}{name}", at.name())
}

fn odd(at: &Repository, reason: &str) -> RegistryError {
    RegistryError::Odd {
        host: at.host.clone(),
        reason: reason.to_owned(),
    }
}
