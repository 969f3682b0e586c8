//! Carries messages to addresses on the web.

use async_trait::async_trait;

/// A message to be carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Where to.
    pub url: String,
    /// Headers beside those of every request.
    pub headers: Vec<(String, String)>,
    /// The body, JSON.
    pub body: String,
    /// Whether it may go to an address that is not on the public internet.
    pub allow_private: bool,
}

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CourierError {
    /// It may arrive later.
    #[error("{0}")]
    TryAgain(String),
    /// It was refused, and will be again.
    #[error("{0}")]
    Refused(String),
}

/// Carries messages.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Carries one message, once.
    async fn carry(&self, parcel: &Parcel) -> Result<(), CourierError>;
}
