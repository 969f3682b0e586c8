//! Registries in memory, with users, rights and faults on demand.

mod host;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures_util::{TryStreamExt, future::BoxFuture};

use self::host::Hosts;
use crate::ports::{
    Blob, BlobStream, Head, Manifest, Registry, RegistryError, Repository, Right, Trust, Upload,
    sha256, whole, written,
};

/// Registries that are gone with this value and its clones.
#[derive(Clone, Default)]
pub struct MemoryRegistry {
    hosts: Arc<Mutex<Hosts>>,
}

impl MemoryRegistry {
    /// Makes none; every host is unreachable until it is added.
    pub fn new() -> MemoryRegistry {
        MemoryRegistry::default()
    }

    /// Adds a registry that lets everybody do everything.
    pub fn add_host(&self, host: &str) {
        self.lock().open.entry(host.to_owned()).or_default();
    }

    /// Lets a user in, and nobody else but others who were let in.
    pub fn add_user(&self, host: &str, (name, password): (&str, &str), rights: &[Right]) {
        let mut hosts = self.lock();
        let host = hosts.open.entry(host.to_owned()).or_default();
        let user = (password.to_owned(), rights.to_vec());
        host.users.insert(name.to_owned(), user);
    }

    /// Lets the next calls fail with these errors, one each.
    pub fn fail_next(&self, errors: impl IntoIterator<Item = RegistryError>) {
        self.lock().faults.extend(errors);
    }

    /// Lets the next blobs fail with these errors when their bytes come, one each.
    pub fn fail_next_uploads(&self, errors: impl IntoIterator<Item = RegistryError>) {
        self.lock().upload_faults.extend(errors);
    }

    /// Counts the bytes that were written as blobs.
    pub fn written_bytes(&self) -> u64 {
        self.lock().written_bytes
    }

    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn trust(&self, _host: &str, _trust: &Trust) {}

    async fn reach(&self, host: &str) -> Result<bool, RegistryError> {
        self.lock().find(host).map(|_| true)
    }

    async fn ping(&self, at: &Repository) -> Result<(), RegistryError> {
        self.lock().enter(at, None).map(drop)
    }

    async fn head(
        &self,
        at: &Repository,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Head, RegistryError> {
        let found = self.manifest(at, name).await?;
        let own = format!("\"{}\"", found.digest);
        if etag == Some(own.as_str()) {
            return Ok(Head::Unchanged);
        }
        Ok(Head::Found {
            digest: found.digest,
            media_type: found.media_type,
            etag: Some(own),
        })
    }

    async fn manifest(&self, at: &Repository, name: &str) -> Result<Manifest, RegistryError> {
        let mut hosts = self.lock();
        let repository = hosts.repository(at, Right::Pull)?;
        let digest = repository.tags.get(name).map_or(name, String::as_str);
        let found = repository.manifests.get(digest).cloned();
        found.ok_or_else(|| RegistryError::NoSuchTag {
            image: written(at, name),
        })
    }

    async fn put_manifest(
        &self,
        at: &Repository,
        name: &str,
        manifest: &Manifest,
    ) -> Result<(), RegistryError> {
        let mut hosts = self.lock();
        let repository = hosts.make_repository(at)?;
        repository
            .check(manifest)
            .map_err(|reason| odd(at, reason))?;
        if !name.contains(':') {
            let digest = manifest.digest.clone();
            repository.tags.insert(name.to_owned(), digest);
        }
        let digest = manifest.digest.clone();
        repository.manifests.insert(digest, manifest.clone());
        Ok(())
    }

    async fn delete_manifest(&self, at: &Repository, digest: &str) -> Result<(), RegistryError> {
        let mut hosts = self.lock();
        let repository = hosts.repository(at, Right::Delete)?;
        repository.tags.retain(|_, it| it != digest);
        let gone = repository.manifests.remove(digest);
        gone.map(drop).ok_or_else(|| RegistryError::NoSuchTag {
            image: written(at, digest),
        })
    }

    async fn tags(&self, at: &Repository) -> Result<Vec<String>, RegistryError> {
        let mut hosts = self.lock();
        let repository = hosts.repository(at, Right::Pull)?;
        Ok(repository.tags.keys().cloned().collect())
    }

    async fn has_blob(&self, at: &Repository, digest: &str) -> Result<bool, RegistryError> {
        match self.lock().repository(at, Right::Pull) {
            Ok(repository) => Ok(repository.blobs.contains_key(digest)),
            Err(RegistryError::NoSuchRepository { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn blob(&self, at: &Repository, digest: &str) -> Result<BlobStream, RegistryError> {
        let mut hosts = self.lock();
        let repository = hosts.repository(at, Right::Pull)?;
        let found = repository.blobs.get(digest).cloned();
        found.map(whole).ok_or_else(|| RegistryError::NoSuchBlob {
            repository: at.name(),
            digest: digest.to_owned(),
        })
    }

    async fn begin_blob(
        &self,
        at: &Repository,
        digest: &str,
        from: Option<&str>,
    ) -> Result<Upload, RegistryError> {
        let mut hosts = self.lock();
        hosts.make_repository(at)?;
        let other = from.and_then(|path| {
            let there = Repository {
                path: path.to_owned(),
                ..at.clone()
            };
            let found = hosts.repository(&there, Right::Pull).ok()?;
            found.blobs.get(digest).cloned()
        });
        match other {
            Some(bytes) => {
                let repository = hosts.make_repository(at)?;
                repository.blobs.insert(digest.to_owned(), bytes);
                Ok(Upload::Mounted)
            }
            None => Ok(Upload::Open(format!("upload of {digest}"))),
        }
    }

    async fn write_blob(
        &self,
        at: &Repository,
        _upload: &str,
        blob: &Blob,
        bytes: BlobStream,
    ) -> Result<(), RegistryError> {
        let fault = self.lock().upload_faults.pop_front();
        if let Some(fault) = fault {
            return Err(fault);
        }
        let pieces: Vec<_> = bytes.try_collect().await?;
        let bytes = pieces.concat();
        if sha256(&bytes) != blob.digest {
            return Err(RegistryError::Corrupt {
                host: at.host.clone(),
                digest: blob.digest.clone(),
            });
        }
        let mut hosts = self.lock();
        hosts.written_bytes += bytes.len() as u64;
        let repository = hosts.make_repository(at)?;
        repository.blobs.insert(blob.digest.clone(), bytes.into());
        Ok(())
    }

    async fn stream_blob(
        &self,
        at: &Repository,
        bytes: BlobStream,
        digest: BoxFuture<'_, Option<String>>,
    ) -> Result<(), RegistryError> {
        let pieces: Vec<_> = bytes.try_collect().await?;
        let Some(digest) = digest.await else {
            return Ok(());
        };
        let bytes = pieces.concat();
        let size_bytes = bytes.len() as u64;
        let blob = Blob { digest, size_bytes };
        self.write_blob(at, "", &blob, whole(bytes)).await
    }

    async fn cancel_blob(&self, at: &Repository, _upload: &str) -> Result<(), RegistryError> {
        self.lock().enter(at, Some(Right::Push)).map(drop)
    }
}

fn odd(at: &Repository, reason: String) -> RegistryError {
    RegistryError::Odd {
        host: at.host.clone(),
        reason,
    }
}

/// Repositories by path.
type Repositories = BTreeMap<String, host::Kept>;
