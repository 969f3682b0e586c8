//! A layer that is packed for registries before the push of its image, and can be read while it grows.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use super::{Blob, BlobStream, RegistryError};

/// How much of it is read at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// How far a layer is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Growth {
    /// So many bytes are there, and more will come.
    Bytes(u64),
    /// All of it is there.
    Whole(Blob),
}

/// A layer as registries keep it.
#[derive(Debug, Clone)]
pub struct PackedLayer {
    file: Arc<File>,
    growth: watch::Receiver<Growth>,
}

impl PackedLayer {
    /// Begins a layer in a file. Whoever writes there tells of it; one who goes without a word leaves it broken.
    pub fn begin(file: File) -> (PackedLayer, watch::Sender<Growth>) {
        let (tell, growth) = watch::channel(Growth::Bytes(0));
        let file = Arc::new(file);
        (PackedLayer { file, growth }, tell)
    }

    /// Its digest and size, if all of it is there.
    pub fn blob(&self) -> Option<Blob> {
        match &*self.growth.borrow() {
            Growth::Whole(blob) => Some(blob.clone()),
            Growth::Bytes(_) => None,
        }
    }

    /// Waits until all of it is there; `None` when it is broken.
    pub async fn whole(&self) -> Option<Blob> {
        let is_whole = |growth: &Growth| matches!(growth, Growth::Whole(_));
        // One that was whole before its writer went is whole all the same.
        let _ = self.growth.clone().wait_for(is_whole).await;
        self.blob()
    }

    /// Waits until it has so many bytes, or has ended with fewer.
    pub async fn reaches(&self, bytes: u64) -> bool {
        let is_known = |growth: &Growth| match growth {
            Growth::Bytes(count) => *count >= bytes,
            Growth::Whole(_) => true,
        };
        let _ = self.growth.clone().wait_for(is_known).await;
        self.available() >= bytes
    }

    fn available(&self) -> u64 {
        match &*self.growth.borrow() {
            Growth::Bytes(count) => *count,
            Growth::Whole(blob) => blob.size_bytes,
        }
    }

    /// Reads it from the beginning to its end, however slowly it grows; any number may do so at once.
    pub fn bytes(&self) -> BlobStream {
        stream::try_unfold((self.clone(), 0), |(layer, at)| async move {
            if !layer.reaches(at + 1).await {
                return match layer.blob() {
                    Some(_) => Ok(None),
                    None => Err(unreadable("what packed it has ended")),
                };
            }
            let piece = layer.piece(at).await.map_err(unreadable)?;
            let next = at + piece.len() as u64;
            Ok(Some((piece, (layer, next))))
        })
        .boxed()
    }

    async fn piece(&self, at: u64) -> io::Result<Bytes> {
        let (file, left) = (self.file.clone(), self.available() - at);
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = BytesMut::zeroed(left.min(PIECE_BYTES) as usize);
            file.read_exact_at(&mut piece, at)?;
            Ok(piece.freeze())
        });
        read.await.unwrap_or_else(|error| Err(error.into()))
    }
}

fn unreadable(reason: impl std::fmt::Display) -> RegistryError {
    RegistryError::Odd {
        host: "this machine".to_owned(),
        reason: format!("a packed layer cannot be read: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures_util::TryStreamExt;

    use super::*;
    use crate::ports::sha256;

    #[tokio::test]
    async fn a_layer_is_read_while_it_grows_and_ends_when_it_is_whole() {
        let mut file = tempfile::tempfile().unwrap();
        let (layer, tell) = PackedLayer::begin(file.try_clone().unwrap());
        let mut bytes = layer.bytes();
        file.write_all(b"first").unwrap();
        tell.send_replace(Growth::Bytes(5));
        assert_eq!(bytes.try_next().await.unwrap().unwrap(), "first");
        assert!(layer.reaches(5).await && layer.blob().is_none());
        file.write_all(b", last").unwrap();
        let blob = Blob {
            digest: sha256(b"first, last"),
            size_bytes: 11,
        };
        tell.send_replace(Growth::Whole(blob.clone()));
        drop(tell);
        assert_eq!(bytes.try_next().await.unwrap().unwrap(), ", last");
        assert_eq!(bytes.try_next().await, Ok(None));
        assert_eq!(layer.whole().await, Some(blob));
        assert!(!layer.reaches(12).await);
    }

    #[tokio::test]
    async fn a_layer_whose_writer_is_gone_is_broken() {
        let (layer, tell) = PackedLayer::begin(tempfile::tempfile().unwrap());
        drop(tell);
        assert!(layer.bytes().try_next().await.is_err());
        assert_eq!(layer.whole().await, None);
        assert!(!layer.reaches(1).await);
    }
}
