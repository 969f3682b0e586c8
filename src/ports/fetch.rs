//! Getting a text from the web.

use async_trait::async_trait;

/// Why a text could not be had, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Gets texts by https, never from private addresses.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Gets the text at an address; more than `limit` bytes are an error.
    async fn text(&self, url: &str, limit: usize) -> Result<String, FetchError>;
}
