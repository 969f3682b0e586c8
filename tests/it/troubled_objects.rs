//! An object store that refuses everything while there is trouble.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use careen::ports::{KeptObject, ObjectError, Objects, TarStream};

/// Refuses in these words, and counts how often.
pub struct Troubled {
    inner: Arc<dyn Objects>,
    trouble: Arc<AtomicBool>,
    error: ObjectError,
    refused: AtomicUsize,
}

impl Troubled {
    /// Stands before a store that works.
    pub fn before(inner: Arc<dyn Objects>, trouble: Arc<AtomicBool>, error: ObjectError) -> Self {
        Troubled {
            inner,
            trouble,
            error,
            refused: AtomicUsize::new(0),
        }
    }

    /// How often it has refused.
    pub fn refused(&self) -> usize {
        self.refused.load(SeqCst)
    }

    fn answer(&self) -> Result<&dyn Objects, ObjectError> {
        if self.trouble.load(SeqCst) {
            self.refused.fetch_add(1, SeqCst);
            return Err(self.error.clone());
        }
        Ok(self.inner.as_ref())
    }
}

#[async_trait]
impl Objects for Troubled {
    async fn check(&self) -> Result<(), ObjectError> {
        self.answer()?.check().await
    }

    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError> {
        self.answer()?.put(key, file).await
    }

    async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.answer()?.put_bytes(key, bytes).await
    }

    async fn get(&self, key: &str) -> Result<Option<TarStream>, ObjectError> {
        self.answer()?.get(key).await
    }

    async fn get_bytes(&self, key: &str) -> Result<Option<Bytes>, ObjectError> {
        self.answer()?.get_bytes(key).await
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        self.answer()?.size(key).await
    }

    async fn list(&self, under: &str) -> Result<Vec<KeptObject>, ObjectError> {
        self.answer()?.list(under).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.answer()?.delete(key).await
    }
}
