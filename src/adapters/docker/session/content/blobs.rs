//! Blobs in a folder, each a file under its digest, as in an OCI layout.

use std::{
    io::{self, SeekFrom},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use tonic::Status;

use crate::ports::hex_digest;

/// A folder of blobs.
#[derive(Debug, Clone)]
pub(super) struct Blobs(PathBuf);

impl Blobs {
    /// Takes the folder of an OCI layout, which may not be there yet.
    pub(super) fn at(folder: &Path) -> Blobs {
        Blobs(folder.join("blobs/sha256"))
    }

    /// The size of a blob in bytes.
    pub(super) async fn size(&self, digest: &str) -> Result<u64, Status> {
        let found = fs::metadata(self.path(digest)?).await;
        found
            .map(|it| it.len())
            .map_err(|error| status(digest, &error))
    }

    /// Opens a blob at this byte.
    pub(super) async fn open(&self, digest: &str, offset: u64) -> Result<File, Status> {
        let opened = async {
            let mut file = File::open(self.path(digest)?)
                .await
                .map_err(|error| status(digest, &error))?;
            let moved = file.seek(SeekFrom::Start(offset)).await;
            moved.map_err(|error| status(digest, &error))?;
            Ok(file)
        };
        opened.await
    }

    /// Begins a blob that comes in; what is not kept in the end is removed.
    pub(super) async fn begin(&self) -> Result<Incoming, Status> {
        let begun = async {
            fs::create_dir_all(&self.0).await?;
            tempfile::NamedTempFile::new_in(&self.0)
        };
        let (file, path) = begun
            .await
            .map_err(|error| status("a blob", &error))?
            .into_parts();
        Ok(Incoming {
            blobs: self.clone(),
            file: File::from_std(file),
            path,
            hash: Sha256::new(),
            size: 0,
        })
    }

    /// Only digests of the one kind that BuildKit writes name files.
    fn path(&self, digest: &str) -> Result<PathBuf, Status> {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        let is_hex = hex.len() == 64
            && hex
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        match is_hex {
            true => Ok(self.0.join(hex)),
            false => Err(Status::invalid_argument(format!(
                "{digest:?} is no sha256 digest"
            ))),
        }
    }
}

/// A blob that is coming in.
pub(super) struct Incoming {
    blobs: Blobs,
    file: File,
    path: TempPath,
    hash: Sha256,
    size: u64,
}

impl Incoming {
    /// How many bytes have come.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes more bytes.
    pub(super) async fn take(&mut self, data: &[u8]) -> Result<(), Status> {
        let written = self.file.write_all(data).await;
        written.map_err(|error| status("a blob", &error))?;
        self.hash.update(data);
        self.size += data.len() as u64;
        Ok(())
    }

    /// Keeps the blob if it is what was expected (an empty text expects nothing), and says its digest.
    pub(super) async fn keep(mut self, expected: &str) -> Result<String, Status> {
        let digest = hex_digest(&self.hash.finalize());
        if !expected.is_empty() && expected != digest {
            let wrong = format!("the blob is {digest}, not {expected}");
            return Err(Status::failed_precondition(wrong));
        }
        let path = self.blobs.path(&digest)?;
        let kept = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            self.path.persist(path).map_err(|error| error.error)
        };
        kept.await.map_err(|error| status(&digest, &error))?;
        Ok(digest)
    }
}

/// Reads the next bytes, at most `limit`; none at the end.
pub(super) async fn read(file: &mut File, limit: usize) -> Result<Bytes, Status> {
    let mut buffer = vec![0; limit];
    let count = file.read(&mut buffer).await;
    buffer.truncate(count.map_err(|error| status("a blob", &error))?);
    Ok(buffer.into())
}

fn status(what: &str, error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Status::not_found(format!("{what} is not in the cache's folder"))
        }
        _ => Status::unavailable(format!("the cache's folder: {error}")),
    }
}
