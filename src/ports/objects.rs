//! Where uploaded contexts and large parts of logs are kept: whole objects under names that never change their content.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::TarStream;

/// Why an object could not be kept or had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the object store {address}: {problem}")]
pub struct ObjectError {
    /// The address of the store, without what is secret in it.
    pub address: String,
    /// What is wrong; the same words as long as the same is wrong.
    pub problem: String,
    /// What to try, as a sentence; empty when the problem says it all.
    pub hint: String,
    /// Whether it may end by itself: nobody answers, or the store asks to come again.
    pub is_passing: bool,
}

impl ObjectError {
    /// Says what is wrong and what to try in one line.
    pub fn in_full(&self) -> String {
        match self.hint.is_empty() {
            true => self.to_string(),
            false => format!("{self}. {}", self.hint),
        }
    }
}

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
    /// Says what bars the way to the store, if anything does; within seconds, even when nobody answers.
    async fn check(&self) -> Result<(), ObjectError>;
    /// Keeps a file's content under a key.
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError>;
    /// Keeps bytes under a key.
    async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError>;
    /// Reads an object; `None` when there is none. What breaks the stream off is an `ObjectError` within its error.
    async fn get(&self, key: &str) -> Result<Option<TarStream>, ObjectError>;
    /// Reads an object whole; `None` when there is none.
    async fn get_bytes(&self, key: &str) -> Result<Option<Bytes>, ObjectError>;
    /// Says how many bytes an object has; `None` when there is none.
    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError>;
    /// Lists the objects below a key, or all of them when it is empty.
    async fn list(&self, under: &str) -> Result<Vec<KeptObject>, ObjectError>;
    /// Forgets an object, if there is one.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;
}
