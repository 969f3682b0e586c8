//! What people see of base images, and what registries tell of them.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::super::{App, AppError};
use crate::{
    ports::{BaseDecision, BaseRow, Watch},
    triggers::registry_events,
};

/// The name of the stored secret that proves notifications of a name begins so.
const SECRET: &str = "registry-hook-";

/// A notification of a registry, as it came.
#[derive(Debug)]
pub struct Notification<'a> {
    /// The name under which its secret is stored.
    pub name: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `X-Hub-Signature-256` header.
    pub signature: Option<&'a str>,
    /// The `token` of the address, for registries that can send nothing else.
    pub token: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// Why a notification is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// It proves nothing, or there is no secret to prove it with.
    #[error("the notification does not prove that it knows the secret")]
    Unproved,
    /// It is not JSON.
    #[error("the notification is no JSON: {0}")]
    Unreadable(String),
    /// We could not.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Where base images are looked at.
#[async_trait]
pub trait BaseDesk: Send + Sync {
    /// Lists the bases of a task, or of all.
    async fn bases_of(&self, task: Option<&str>) -> Result<Vec<BaseRow>, AppError>;
    /// Lists what is watched for a task, or at all.
    async fn watches_of(&self, task: Option<&str>) -> Result<Vec<Watch>, AppError>;
    /// Lists what was decided about moves, latest first.
    async fn base_decisions_of(
        &self,
        task: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BaseDecision>, AppError>;
}

#[async_trait]
impl BaseDesk for App {
    async fn bases_of(&self, task: Option<&str>) -> Result<Vec<BaseRow>, AppError> {
        Ok(self.bases.bases(task).await?)
    }

    async fn watches_of(&self, task: Option<&str>) -> Result<Vec<Watch>, AppError> {
        Ok(self.bases.watches(task).await?)
    }

    async fn base_decisions_of(
        &self,
        task: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BaseDecision>, AppError> {
        Ok(self.bases.decisions(task, limit).await?)
    }
}

impl App {
    /// Takes a registry's notification: verified first, then what it names is looked at at once. What the registry
    /// itself then says is what counts, so one that comes late or twice does no harm. Says how many looks it prompts.
    pub async fn take_notification(
        &self,
        told: &Notification<'_>,
    ) -> Result<u64, NotificationError> {
        let secret = format!("{SECRET}{}", told.name);
        let secret = self.stored_secret(&secret).await;
        let secret = secret.map_err(|_| NotificationError::Unproved)?;
        if !told.knows(&secret) {
            return Err(NotificationError::Unproved);
        }
        let body = serde_json::from_slice(told.body)
            .map_err(|error| NotificationError::Unreadable(error.to_string()))?;
        let how = format!("notification of {}", told.name);
        let mut prompted = 0;
        for pushed in registry_events(&body) {
            let now = self.ports.clock.now();
            let looked = self
                .bases
                .look_now(&pushed.repository, &pushed.tag, (&how, now));
            prompted += looked.await.map_err(AppError::from)?;
        }
        Ok(prompted)
    }
}

impl Notification<'_> {
    /// Says whether it proves that its sender knows the secret; compared in constant time.
    fn knows(&self, secret: &SecretString) -> bool {
        let secret = secret.expose_secret().as_bytes();
        let is_secret = |said: &[u8]| bool::from(said.ct_eq(secret));
        if let Some(signature) = self.signature {
            return is_signed(secret, self.body, signature);
        }
        if let Some(said) = self.authorization {
            let bare = said.strip_prefix("Bearer ").unwrap_or(said);
            return is_secret(bare.as_bytes()) || password(said).is_some_and(|it| is_secret(&it));
        }
        self.token.is_some_and(|said| is_secret(said.as_bytes()))
    }
}

/// The password of a basic login.
fn password(authorization: &str) -> Option<Vec<u8>> {
    let encoded = authorization.strip_prefix("Basic ")?;
    let login = STANDARD.decode(encoded).ok()?;
    let colon = login.iter().position(|it| *it == b':')?;
    Some(login[colon + 1..].to_vec())
}

fn is_signed(secret: &[u8], body: &[u8], signature: &str) -> bool {
    let Some(hex) = signature.strip_prefix("sha256=") else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    mac.update(body);
    let own: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    own.as_bytes()
        .ct_eq(hex.to_ascii_lowercase().as_bytes())
        .into()
}
