//! Objects in a local folder, S3 or Azure Blob, as the address says.

use std::{path::Path, sync::OnceLock};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    Error, ObjectStore, ObjectStoreExt, WriteMultipart, local::LocalFileSystem, parse_url_opts,
    path::Path as Key,
};
use tokio::io::AsyncReadExt;
use url::Url;

use crate::ports::{KeptObject, ObjectError, Objects, TarStream};

/// How much is read and sent at a time; S3 takes no smaller part than 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Objects at one address; opened when first used, for most commands never do.
pub struct ObjectFolder {
    address: String,
    options: Vec<(String, String)>,
    opened: OnceLock<Opened>,
}

struct Opened {
    store: Box<dyn ObjectStore>,
    prefix: Key,
}

impl ObjectFolder {
    /// Keeps objects at `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` or in a folder of this machine. Credentials of
    /// clouds come from `options`, in the words of their own tools, such as `AWS_ACCESS_KEY_ID`.
    pub fn at(
        address: impl Into<String>,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let options = options
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            // A stack file can only leave a variable empty, not out.
            .filter(|(name, value)| {
                !value.is_empty() && (name.starts_with("aws_") || name.starts_with("azure_"))
            });
        Self {
            address: address.into(),
            options: options.collect(),
            opened: OnceLock::new(),
        }
    }

    fn opened(&self) -> Result<&Opened, ObjectError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = open(&self.address, &self.options)?;
        Ok(self.opened.get_or_init(|| opened))
    }
}

impl Opened {
    fn key(&self, key: &str) -> Key {
        let parts = key.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn relative(&self, key: &Key) -> String {
        let parts = key.prefix_match(&self.prefix);
        let parts = parts.map(|it| it.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>());
        parts.unwrap_or_default().join("/")
    }
}

fn open(address: &str, options: &[(String, String)]) -> Result<Opened, ObjectError> {
    if !address.contains("://") {
        std::fs::create_dir_all(address)
            .map_err(|error| ObjectError(format!("{address}: {error}")))?;
        let store = LocalFileSystem::new_with_prefix(address).map_err(failed)?;
        return Ok(Opened {
            store: Box::new(store.with_automatic_cleanup(true)),
            prefix: Key::default(),
        });
    }
    let url = Url::parse(address).map_err(|error| ObjectError(error.to_string()))?;
    let options = options.iter().map(|(name, value)| (name, value));
    let (store, prefix) = parse_url_opts(&url, options).map_err(failed)?;
    Ok(Opened { store, prefix })
}

#[async_trait]
impl Objects for ObjectFolder {
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError> {
        let to = self.opened()?;
        let unreadable =
            |error: std::io::Error| ObjectError(format!("{}: {error}", file.display()));
        let mut file = tokio::fs::File::open(file).await.map_err(unreadable)?;
        let upload = to.store.put_multipart(&to.key(key)).await.map_err(failed)?;
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
        let to = self.opened()?;
        match to.store.get(&to.key(key)).await {
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
        let to = self.opened()?;
        match to.store.head(&to.key(key)).await {
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
            Ok(found) => Ok(Some(found.size)),
        }
    }

    async fn list(&self, under: &str) -> Result<Vec<KeptObject>, ObjectError> {
        let of = self.opened()?;
        let found = of.store.list(Some(&of.key(under)));
        let kept = found.map_ok(|object| KeptObject {
            key: of.relative(&object.location),
            bytes: object.size,
            kept_at: object.last_modified,
        });
        kept.try_collect().await.map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let to = self.opened()?;
        match to.store.delete(&to.key(key)).await {
            // Clouds do not say whether there was one.
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: Error) -> ObjectError {
    ObjectError(error.to_string())
}
