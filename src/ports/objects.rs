//! Where uploaded contexts are kept: whole objects under names that never change their content.

use std::path::Path;

use async_trait::async_trait;

use super::TarStream;

/// Why an object could not be kept or had, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the object store failed: {0}")]
pub struct ObjectError(pub String);

/// Keeps objects.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Keeps a file's content under a key.
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError>;
    /// Reads an object; `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<TarStream>, ObjectError>;
    /// Says how many bytes an object has; `None` when there is none.
    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError>;
    /// Forgets an object, if there is one.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;
}
