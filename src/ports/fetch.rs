//! Getting texts and archives from the web.

use async_trait::async_trait;

use super::{Access, TarStream};

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

/// Bytes of the web, as they come.
pub struct Download {
    /// The bytes.
    pub body: TarStream,
    /// How many there are, where the server says so.
    pub bytes: Option<u64>,
    /// The mark by which the server knows this content again.
    pub etag: Option<String>,
}

/// Why something of the web could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// The address, or one that it led to, may not be asked.
    #[error("{0}")]
    Refused(String),
    /// The content is still that of the mark.
    #[error("it has not changed")]
    Unchanged,
    /// The server said no, with this status.
    #[error("the server answered {0}")]
    Status(u16),
    /// The network or the server failed.
    #[error("{0}")]
    Unreachable(String),
}

/// Gets large things by http and https; private addresses only where that is allowed.
#[async_trait]
pub trait Downloads: Send + Sync {
    /// Begins to get what is at an address; `mark` is the mark of what is here already.
    async fn get(
        &self,
        url: &str,
        access: &Access,
        mark: Option<&str>,
    ) -> Result<Download, DownloadError>;
}
