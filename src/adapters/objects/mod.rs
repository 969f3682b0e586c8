//! Objects in a local folder, S3 or Azure Blob, as the address says.

mod open;
mod trouble;

use std::{path::Path, sync::OnceLock, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{Error, ObjectStoreExt, WriteMultipart, path::Path as Key};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
    time::timeout,
};

use self::{
    open::{Opened, open},
    trouble::Address,
};
use crate::ports::{KeptObject, ObjectError, Objects, TarStream};

/// How much is read and sent at a time; S3 takes no smaller part than 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// How long a store may take to say that it has not got something.
const CHECK: Duration = Duration::from_secs(5);
/// Below this there never is an object.
const NOTHING: &str = "contexts/none";

/// Objects at one address; opened when first used, for most commands never do.
pub struct ObjectFolder {
    address: Address,
    options: Vec<(String, String)>,
    opened: OnceLock<Opened>,
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
            address: Address::of(address.into()),
            options: options.collect(),
            opened: OnceLock::new(),
        }
    }

    fn opened(&self) -> Result<&Opened, ObjectError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = open(self.address.text(), &self.options);
        let opened = opened.map_err(|error| self.address.trouble(&error))?;
        Ok(self.opened.get_or_init(|| opened))
    }

    /// Says that there is none where that is all an error says. No bucket is another matter, though HEAD does not tell.
    fn found<T>(&self, result: Result<T, Error>) -> Result<Option<T>, ObjectError> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { source, .. }) if !trouble::is_of_bucket(&*source) => Ok(None),
            Err(error) => Err(self.address.trouble(&error)),
        }
    }

    async fn put_in_parts(&self, to: &Key, file: &mut File) -> Result<(), ObjectError> {
        let failed = |error: Error| self.address.trouble(&error);
        let upload = self.opened()?.store.put_multipart(to).await;
        let mut upload = WriteMultipart::new_with_chunk_size(upload.map_err(failed)?, PART_BYTES);
        let sent = self.send_parts(file, &mut upload).await;
        if sent.is_err() {
            // Parts that nobody puts together would be kept, and be paid for, for ever.
            let _ = upload.abort().await;
            return sent;
        }
        upload.finish().await.map_err(failed)?;
        Ok(())
    }

    async fn send_parts(
        &self,
        file: &mut File,
        upload: &mut WriteMultipart,
    ) -> Result<(), ObjectError> {
        let mut part = vec![0; PART_BYTES];
        loop {
            let read = file.read(&mut part).await;
            let read = read.map_err(|error| self.address.unreadable(&error))?;
            // A slow store must not make the whole file wait in memory, and the end waits for what is on its way.
            let most = if read == 0 { 0 } else { 2 };
            let room = upload.wait_for_capacity(most).await;
            room.map_err(|error| self.address.trouble(&error))?;
            if read == 0 {
                return Ok(());
            }
            upload.write(&part[..read]);
        }
    }
}

#[async_trait]
impl Objects for ObjectFolder {
    async fn check(&self) -> Result<(), ObjectError> {
        let to = self.opened()?;
        // A list, because the answer to HEAD has no words: without its bucket an object is missing, too.
        let key = to.key(NOTHING);
        let mut list = to.hasty.list(Some(&key));
        match timeout(CHECK, list.try_next()).await {
            Ok(answer) => answer
                .map(drop)
                .map_err(|error| self.address.trouble(&error)),
            Err(_) => Err(self.address.silent()),
        }
    }

    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError> {
        let to = self.opened()?.key(key);
        let unreadable = |error| self.address.unreadable(&error);
        let mut file = File::open(file).await.map_err(unreadable)?;
        let mut first = Vec::new();
        let mut beginning = (&mut file).take(PART_BYTES as u64);
        beginning
            .read_to_end(&mut first)
            .await
            .map_err(unreadable)?;
        if first.len() < PART_BYTES {
            return self.put_bytes(key, first.into()).await;
        }
        file.rewind().await.map_err(unreadable)?;
        self.put_in_parts(&to, &mut file).await
    }

    async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        let to = self.opened()?;
        let put = to.store.put(&to.key(key), bytes.into()).await;
        put.map(drop).map_err(|error| self.address.trouble(&error))
    }

    async fn get(&self, key: &str) -> Result<Option<TarStream>, ObjectError> {
        let from = self.opened()?;
        let found = self.found(from.store.get(&from.key(key)).await)?;
        let address = self.address.clone();
        Ok(found.map(|found| {
            let broken = move |error| std::io::Error::other(address.trouble(&error));
            found.into_stream().map_err(broken).boxed()
        }))
    }

    async fn get_bytes(&self, key: &str) -> Result<Option<Bytes>, ObjectError> {
        let from = self.opened()?;
        let Some(found) = self.found(from.store.get(&from.key(key)).await)? else {
            return Ok(None);
        };
        self.found(found.bytes().await)
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        let of = self.opened()?;
        let found = self.found(of.store.head(&of.key(key)).await)?;
        Ok(found.map(|found| found.size))
    }

    async fn list(&self, under: &str) -> Result<Vec<KeptObject>, ObjectError> {
        let of = self.opened()?;
        let found = of.store.list(Some(&of.key(under)));
        let kept = found.map_ok(|object| KeptObject {
            key: of.relative(&object.location),
            bytes: object.size,
            kept_at: object.last_modified,
        });
        let kept = kept.try_collect().await;
        kept.map_err(|error| self.address.trouble(&error))
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let to = self.opened()?;
        // Clouds do not say whether there was one.
        let gone = self.found(to.store.delete(&to.key(key)).await);
        gone.map(drop)
    }
}
