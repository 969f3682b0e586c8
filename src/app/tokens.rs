//! Tokens: drawn here, shown once, kept as hashes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{App, AppError};
use crate::ports::{CredentialScopes, Role, TokenRow};

/// What every token begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "careen_";
/// Random bytes of a token: nothing that could be guessed, so a plain hash is enough.
const SECRET_BYTES: usize = 32;
/// Random bytes of a token's id.
const ID_BYTES: usize = 6;
/// How exactly the last use is known.
const TOUCH_MINUTES: i64 = 1;

impl App {
    /// Makes a token; its secret is known only to the caller from now on.
    pub async fn create_token(
        &self,
        name: &str,
        role: Role,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<(TokenRow, SecretString), AppError> {
        self.create_token_within(name, (role, None), expires_at)
            .await
    }

    /// Makes a token whose runs may use only some of the server's credentials.
    pub async fn create_token_within(
        &self,
        name: &str,
        (role, credentials): (Role, Option<CredentialScopes>),
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<(TokenRow, SecretString), AppError> {
        if credentials.is_some() && role > Role::Runner {
            return Err(AppError::usage(
                format!("the credentials of the role {role} cannot be bounded"),
                "Who may change tasks may let them use any; give it the role runner",
            ));
        }
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(AppError::usage(
                "a token needs a name",
                "Say who or what will bear it",
            ));
        }
        let secret = SecretString::from(format!("{PREFIX}{}", random::<SECRET_BYTES>()));
        let token = TokenRow {
            id: random::<ID_BYTES>(),
            name: name.to_owned(),
            role,
            credentials,
            created_at: self.ports.clock.now(),
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        self.access.add_token(&token, &hash(&secret)).await?;
        Ok((token, secret))
    }

    /// Finds the good token that a secret is.
    pub async fn authenticate(&self, secret: &SecretString) -> Result<Option<TokenRow>, AppError> {
        let now = self.ports.clock.now();
        let token = self.access.token(&hash(secret)).await?;
        let Some(token) = token.filter(|token| token.is_good(now)) else {
            return Ok(None);
        };
        let is_stale = |used: DateTime<Utc>| now - used >= TimeDelta::minutes(TOUCH_MINUTES);
        if token.last_used_at.is_none_or(is_stale) {
            self.access.touch_token(&token.id, now).await?;
        }
        Ok(Some(token))
    }

    /// Makes the first admin token, if there is none that is good.
    pub async fn first_token(&self) -> Result<Option<SecretString>, AppError> {
        let now = self.ports.clock.now();
        let tokens = self.access.tokens().await?;
        let is_admin = |token: &TokenRow| token.role == Role::Admin && token.is_good(now);
        if tokens.iter().any(is_admin) {
            return Ok(None);
        }
        let (_, secret) = self.create_token("first admin", Role::Admin, None).await?;
        Ok(Some(secret))
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: &str) -> Result<(), AppError> {
        let now = self.ports.clock.now();
        if self.access.revoke_token(id, now).await? {
            return Ok(());
        }
        Err(AppError::usage(
            format!("there is no token {id}"),
            "careen token list shows the tokens there are",
        ))
    }
}

fn hash(secret: &SecretString) -> String {
    let digest = Sha256::digest(secret.expose_secret().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn random<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::rng().fill(&mut bytes[..]);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
