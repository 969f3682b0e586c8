//! Who may use the server, who did what, and what was answered already.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CredentialScopes, StoreError};

/// What the bearer of a token may do; each role may do all that the ones before it may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read runs, logs and tasks.
    Reader,
    /// Queue and cancel runs.
    Runner,
    /// Change tasks.
    Editor,
    /// Change tokens and read the audit log.
    Admin,
}

/// A token, without the secret that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenRow {
    /// Its id, by which it is revoked.
    pub id: String,
    /// Who or what bears it.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// What its bearer's runs may use credentials for; all that the server has when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub credentials: Option<CredentialScopes>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops being good.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Something that was done, or refused, through the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Its number, from 1; 0 before it is recorded.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: the token's id and name, or `anonymous`.
    pub who: String,
    /// What: method and path.
    pub action: String,
    /// What the server answered.
    pub status: u16,
    /// Where from.
    pub address: String,
}

/// An answer that was given to a request that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What is known of a request that bears a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing was; it is now under way.
    New,
    /// It is under way.
    UnderWay,
    /// It was answered.
    Answered(Answer),
    /// The key came with another request.
    Another,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Role; 4] = [Role::Reader, Role::Runner, Role::Editor, Role::Admin];

    /// The word used in the database, the API and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Runner => "runner",
            Role::Editor => "editor",
            Role::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no role: reader, runner, editor or admin"))
    }
}

impl TokenRow {
    /// Says whether the token is good at a moment.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Keeps tokens, the audit log and answers.
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// Records a token under the hash of its secret.
    async fn add_token(&self, token: &TokenRow, hash: &str) -> Result<(), StoreError>;
    /// Finds the token with this hash, good or not.
    async fn token(&self, hash: &str) -> Result<Option<TokenRow>, StoreError>;
    /// Lists all tokens, oldest first.
    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError>;
    /// Revokes a token; `false` when there is none with this id.
    async fn revoke_token(&self, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError>;
    /// Notes when a token was used.
    async fn touch_token(&self, id: &str, at: DateTime<Utc>) -> Result<(), StoreError>;
    /// Records what was done.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;
    /// Lists what was done, newest first, before the entry of this number; 0 is the newest.
    async fn audited(&self, before: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;
    /// Asks what is known of a request, and notes that it is under way when nothing is.
    async fn begin_request(
        &self,
        key: &str,
        fingerprint: &str,
        at: DateTime<Utc>,
    ) -> Result<Known, StoreError>;
    /// Keeps the answer to a request; `None` forgets it, so that it may be tried again.
    async fn end_request(&self, key: &str, answer: Option<&Answer>) -> Result<(), StoreError>;
    /// Forgets requests that began before a moment.
    async fn forget_requests(&self, before: DateTime<Utc>) -> Result<(), StoreError>;
}
