//! Sealing values, so that the store never holds a secret in clear.

use secrecy::SecretString;

/// A sealed value, fit to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key sealed it.
    pub key_id: String,
    /// Nonce and cipher text.
    pub bytes: Vec<u8>,
}

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or made.
    #[error("the key file {path} cannot be used: {reason}")]
    Key {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The value was sealed by another key, or for another row.
    #[error(
        "the sealed value {0} does not open: it was sealed with another key or for another run"
    )]
    DoesNotOpen(String),
}

/// Seals values under a key; `row` binds a sealed value to the place where it is stored.
pub trait Vault: Send + Sync {
    /// Seals a value.
    fn seal(&self, row: &str, value: &SecretString) -> Result<Sealed, VaultError>;
    /// Opens a sealed value, by whichever key sealed it.
    fn open(&self, row: &str, sealed: &Sealed) -> Result<SecretString, VaultError>;
    /// Names the key that seals.
    fn key_id(&self) -> Result<String, VaultError>;
    /// Makes a new key that seals from now on, while the earlier ones still open; `false` where keys are made elsewhere.
    fn renew(&self) -> Result<bool, VaultError>;
}
