//! Objects on their way into a backup and back, one piece at a time, wherever they are kept.

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::runtime::Handle;

use crate::ports::{KeptObject, ObjectError, Objects, TarStream};

/// All objects that are kept at one moment; for work that blocks its thread.
pub(super) struct AllObjects {
    objects: Arc<dyn Objects>,
    kept: Vec<KeptObject>,
    runtime: Handle,
}

impl AllObjects {
    /// Lists them; what comes later does not belong to the database as it was taken.
    pub async fn list(objects: Arc<dyn Objects>) -> Result<AllObjects, ObjectError> {
        Ok(AllObjects {
            kept: objects.list("").await?,
            objects,
            runtime: Handle::current(),
        })
    }

    /// Adds them under a folder's name; one that has gone meanwhile is left out.
    pub fn add_to(&self, tar: &mut tar::Builder<impl Write>, folder: &Path) -> io::Result<()> {
        for object in &self.kept {
            let found = self.runtime.block_on(self.objects.get(&object.key));
            let Some(stream) = found.map_err(io::Error::other)? else {
                continue;
            };
            let mut header = tar::Header::new_gnu();
            header.set_size(object.bytes);
            header.set_mode(0o600);
            header.set_mtime(object.kept_at.timestamp().max(0).cast_unsigned());
            let mut content = Content {
                stream,
                rest: Bytes::new(),
                left: object.bytes,
                runtime: self.runtime.clone(),
            };
            tar.append_data(&mut header, folder.join(&object.key), &mut content)?;
            if content.left > 0 {
                let key = &object.key;
                return Err(io::Error::other(format!("object {key} broke off")));
            }
        }
        Ok(())
    }
}

/// What an object holds, up to the size that was said.
struct Content {
    stream: TarStream,
    rest: Bytes,
    left: u64,
    runtime: Handle,
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                None => return Ok(0),
                Some(piece) => self.rest = piece?,
            }
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = into.len().min(self.rest.len()).min(most);
        self.rest.copy_to_slice(&mut into[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

/// Puts back what the store lacks of an unpacked folder of objects.
pub(super) async fn put_back(objects: &dyn Objects, folder: &Path) -> Result<(), ObjectError> {
    let files = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .build()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    for file in files {
        let Ok(below) = file.path().strip_prefix(folder) else {
            continue;
        };
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        let key = parts.join("/");
        let bytes = file.metadata().ok().map(|metadata| metadata.len());
        if objects.size(&key).await? != bytes {
            objects.put(&key, file.path()).await?;
        }
    }
    Ok(())
}
