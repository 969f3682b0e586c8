//! Contexts that clients upload: named by the hash of their bytes, sent in chunks, kept once.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{App, AppError};
use crate::ports::{ObjectError, TarStream};

/// How much of a file is hashed at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// How much of a context the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Nothing, or as many bytes of it.
    Partial(u64),
    /// All of it.
    Whole(u64),
}

/// A context that the object store keeps.
pub(super) struct Uploaded {
    /// Its name.
    pub digest: ContextDigest,
    /// Its size.
    pub bytes: u64,
    /// Since when it is there.
    pub kept_at: DateTime<Utc>,
}

/// The name of a context: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextDigest(String);

impl ContextDigest {
    /// Reads a digest as written.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let is_fine = hex.len() == 64
            && hex
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        if !is_fine {
            return Err(AppError::usage(
                format!("{text:?} is no digest of a context"),
                "It is sha256: and 64 hexadecimal digits",
            ));
        }
        Ok(Self(hex.to_owned()))
    }

    /// The digits alone.
    pub(super) fn digits(&self) -> &str {
        &self.0
    }

    /// The key under which the object store keeps it.
    fn key(&self) -> String {
        format!("contexts/{}.tar", self.0)
    }
}

impl std::fmt::Display for ContextDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl App {
    /// Says how much of a context is here.
    pub async fn upload(&self, digest: &ContextDigest) -> Result<Upload, AppError> {
        if let Some(bytes) = self.objects.size(&digest.key()).await? {
            return Ok(Upload::Whole(bytes));
        }
        let partial = tokio::fs::metadata(self.partial(digest)).await;
        Ok(Upload::Partial(partial.map_or(0, |it| it.len())))
    }

    /// Adds bytes at an offset; where that is not the end, nothing is written and the end is returned.
    pub async fn append(
        &self,
        digest: &ContextDigest,
        offset: u64,
        bytes: &[u8],
    ) -> Result<Upload, AppError> {
        // Two clients may send the same context at once; each then goes on where the other is.
        let _alone = self.uploads.lock().await;
        let present = self.upload(digest).await?;
        if present != Upload::Partial(offset) {
            return Ok(present);
        }
        let path = self.partial(digest);
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(files)?;
        }
        let mut options = tokio::fs::OpenOptions::new();
        let file = options.create(true).append(true).open(path);
        let mut file = file.await.map_err(files)?;
        file.write_all(bytes).await.map_err(files)?;
        file.flush().await.map_err(files)?;
        Ok(Upload::Partial(offset + bytes.len() as u64))
    }

    /// Keeps a context whose bytes are all here; bytes that are others than their name says are thrown away.
    pub async fn finish_upload(&self, digest: &ContextDigest) -> Result<Upload, AppError> {
        let _alone = self.uploads.lock().await;
        if let whole @ Upload::Whole(_) = self.upload(digest).await? {
            return Ok(whole);
        }
        let path = self.partial(digest);
        let (found, bytes) = hash_file(path.clone()).await.map_err(files)?;
        if found != digest.0 {
            tokio::fs::remove_file(&path).await.map_err(files)?;
            return Err(AppError::usage(
                format!("the bytes that were sent are sha256:{found}, not {digest}"),
                "Send the context again from its beginning",
            ));
        }
        self.objects.put(&digest.key(), &path).await?;
        tokio::fs::remove_file(&path).await.map_err(files)?;
        Ok(Upload::Whole(bytes))
    }

    /// Unpacks a context into a folder of this machine, once.
    pub async fn open_context(&self, digest: &ContextDigest) -> Result<PathBuf, AppError> {
        let folder = self.contexts.join("unpacked").join(&digest.0);
        if tokio::fs::try_exists(&folder).await.map_err(files)? {
            return Ok(folder);
        }
        let found = self.objects.get(&digest.key()).await?;
        let tar = found.ok_or_else(|| {
            AppError::usage(
                format!("there is no context {digest}"),
                "Upload it with PATCH /api/v1/contexts/{digest}",
            )
        })?;
        // What was begun by another, or before a crash, is not taken for whole.
        let unfinished = folder.with_extension(self.draw_id());
        tokio::fs::create_dir_all(&unfinished)
            .await
            .map_err(files)?;
        let (tar, break_off) = watched(tar);
        let unpacked = self.ports.folders.unpack(tar, &unfinished).await;
        if let Err(error) = unpacked {
            let _ = tokio::fs::remove_dir_all(&unfinished).await;
            if let Some(error) = break_off.get() {
                return Err(error.clone().into());
            }
            return Err(AppError::usage(
                format!("the context {digest} cannot be unpacked: {error}"),
                "Upload a tar archive whose paths stay inside of it",
            ));
        }
        if tokio::fs::rename(&unfinished, &folder).await.is_err() {
            // Another request was faster.
            tokio::fs::remove_dir_all(&unfinished)
                .await
                .map_err(files)?;
        }
        Ok(folder)
    }

    /// Lists the contexts that are kept.
    pub(super) async fn uploaded(&self) -> Result<Vec<Uploaded>, AppError> {
        let found = self.objects.list("contexts").await?;
        let named = found.into_iter().filter_map(|object| {
            let digits = object.key.strip_prefix("contexts/")?.strip_suffix(".tar")?;
            Some(Uploaded {
                digest: ContextDigest::parse(&format!("sha256:{digits}")).ok()?,
                bytes: object.bytes,
                kept_at: object.kept_at,
            })
        });
        Ok(named.collect())
    }

    /// Forgets a context.
    pub(super) async fn forget_upload(&self, digest: &ContextDigest) -> Result<(), AppError> {
        Ok(self.objects.delete(&digest.key()).await?)
    }

    fn partial(&self, digest: &ContextDigest) -> PathBuf {
        self.contexts.join("partial").join(&digest.0)
    }
}

/// Lets an object through, and remembers why the store broke it off: that is no fault of the archive.
fn watched(tar: TarStream) -> (TarStream, Arc<OnceLock<ObjectError>>) {
    let break_off = Arc::new(OnceLock::new());
    let seen = break_off.clone();
    let tar = tar.inspect_err(move |error| {
        let of_store = error.get_ref().and_then(|it| it.downcast_ref());
        if let Some(error) = of_store.cloned() {
            let _ = seen.set(error);
        }
    });
    (tar.boxed(), break_off)
}

/// Hashes a file; returns the digits and the size.
pub async fn hash_file(path: PathBuf) -> std::io::Result<(String, u64)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
        bytes += read as u64;
    }
    let digits = hash
        .finalize()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    Ok((digits, bytes))
}

fn files(error: std::io::Error) -> AppError {
    AppError::Files(format!("an uploaded context could not be kept: {error}"))
}
