//! Where uploaded contexts are kept: whole objects under names that never change their content.

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::TarStream;

/// Why an object could not be kept or had, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the object store failed: {0}")]
pub struct ObjectError(pub String);

/// An object that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptObject {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was put there.
    pub kept_at: DateTime<Utc>,
}

/// Keeps objects.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Keeps a file's content under a key.
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError>;
    /// Reads an object; `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<TarStream>, ObjectError>;
    /// Says how many bytes an object has; `None` when there is none.
    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError>;
    /// Lists the objects whose keys begin with these words.
    async fn list(&self, under: &str) -> Result<Vec<KeptObject>, ObjectError>;
    /// Forgets an object, if there is one.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;
}
