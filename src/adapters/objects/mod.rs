//! Objects in a local folder, S3 or Azure Blob, as the address says.

use std::path::Path;

use async_trait::async_trait;
use futures_util::StreamExt;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, WriteMultipart, local::LocalFileSystem, parse_url_opts,
    path::Path as Key,
};
use tokio::io::AsyncReadExt;
use url::Url;

use crate::ports::{ObjectError, Objects, TarStream};

/// How much is read and sent at a time; S3 takes no smaller part than 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Objects at one address.
pub struct ObjectFolder {
    store: Box<dyn ObjectStore>,
    prefix: Key,
}

impl ObjectFolder {
    /// Opens `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` or a folder of this machine. Credentials of clouds come
    /// from `options`, in the words of their own tools, such as `AWS_ACCESS_KEY_ID`.
    pub fn open(
        address: &str,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ObjectError> {
        if !address.contains("://") {
            std::fs::create_dir_all(address)
                .map_err(|error| ObjectError(format!("{address}: {error}")))?;
            let store = LocalFileSystem::new_with_prefix(address).map_err(failed)?;
            return Ok(Self {
                store: Box::new(store.with_automatic_cleanup(true)),
                prefix: Key::default(),
            });
        }
        let url = Url::parse(address).map_err(|error| ObjectError(error.to_string()))?;
        let options = options
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value));
        let known =
            options.filter(|(name, _)| name.starts_with("aws_") || name.starts_with("azure_"));
        let (store, prefix) = parse_url_opts(&url, known).map_err(failed)?;
        Ok(Self { store, prefix })
    }

    fn key(&self, key: &str) -> Key {
        key.split('/')
            .fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

#[async_trait]
impl Objects for ObjectFolder {
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError> {
        let unreadable =
            |error: std::io::Error| ObjectError(format!("{}: {error}", file.display()));
        let mut file = tokio::fs::File::open(file).await.map_err(unreadable)?;
        let upload = self
            .store
            .put_multipart(&self.key(key))
            .await
            .map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut part = vec![0; PART_BYTES];
        loop {
            let read = file.read(&mut part).await.map_err(unreadable)?;
            if read == 0 {
                break;
            }
            // A slow store must not make the whole file wait in memory.
            upload.wait_for_capacity(2).await.map_err(failed)?;
            upload.write(&part[..read]);
        }
        upload.finish().await.map_err(failed)?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<TarStream>, ObjectError> {
        match self.store.get(&self.key(key)).await {
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
            Ok(found) => {
                let stream = found.into_stream();
                Ok(Some(
                    stream.map(|it| it.map_err(std::io::Error::other)).boxed(),
                ))
            }
        }
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        match self.store.head(&self.key(key)).await {
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
            Ok(found) => Ok(Some(found.size)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        match self.store.delete(&self.key(key)).await {
            // Clouds do not say whether there was one.
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: Error) -> ObjectError {
    ObjectError(error.to_string())
}
