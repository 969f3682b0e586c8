//! Setting and showing who may deliver.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::{App, AppError, connections::check_name},
    ports::HookSource,
    triggers::Provider,
};

/// For how long the secret before the last still counts, so that both sides need not change at once.
const ROTATION: TimeDelta = TimeDelta::hours(24);
/// The shortest secret that is taken.
const SECRET_BYTES: usize = 8;

/// A source to be set.
#[derive(Debug)]
pub struct NewSource {
    /// Its name.
    pub name: String,
    /// The kind of code host.
    pub provider: Provider,
    /// The one task it may start.
    pub task: Option<String>,
    /// The secret; one is drawn when none is given.
    pub secret: Option<SecretString>,
    /// A token for the code host's interface.
    pub token: Option<SecretString>,
    /// Where that interface is.
    pub api: Option<String>,
}

/// A source, as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// The kind of code host.
    pub provider: Provider,
    /// The one task it may start.
    pub task: Option<String>,
    /// Until when the secret before the last still counts.
    pub previous_until: Option<DateTime<Utc>>,
    /// Whether it has a token for the code host's interface.
    pub has_token: bool,
    /// When it was set.
    pub updated_at: DateTime<Utc>,
}

impl From<&HookSource> for SourceView {
    fn from(source: &HookSource) -> Self {
        Self {
            name: source.name.clone(),
            provider: source.provider,
            task: source.task.clone(),
            previous_until: source.previous.as_ref().map(|it| it.1),
            has_token: source.token.is_some(),
            updated_at: source.updated_at,
        }
    }
}

impl App {
    /// Sets a source; the secret it had before counts for another day. Returns the secret if it was drawn here.
    pub async fn set_hook_source(&self, new: NewSource) -> Result<Option<SecretString>, AppError> {
        check_name("source", &new.name)?;
        let drawn = new.secret.is_none().then(draw_secret);
        let secret = new.secret.as_ref().or(drawn.as_ref());
        let secret = secret.filter(|it| it.expose_secret().len() >= SECRET_BYTES);
        let secret = secret.ok_or_else(|| {
            let message = format!("the secret has less than {SECRET_BYTES} characters");
            AppError::usage(message, "Leave it out to have one drawn")
        })?;
        let now = self.ports.clock.now();
        let known = self.deliveries.sources().await?;
        let known = known.into_iter().find(|it| it.name == new.name);
        let seal = |what: &str, value| self.vault.seal(&HookSource::row(&new.name, what), value);
        let token = new.token.as_ref().map(|it| seal("token", it)).transpose()?;
        let source = HookSource {
            secret: seal("secret", secret)?,
            previous: known.as_ref().map(|it| (it.secret.clone(), now + ROTATION)),
            token: token.or_else(|| known.and_then(|it| it.token)),
            name: new.name,
            provider: new.provider,
            task: new.task,
            api: new.api,
            updated_at: now,
        };
        self.deliveries.put_source(&source).await?;
        Ok(drawn)
    }

    /// Removes a source.
    pub async fn remove_hook_source(&self, name: &str) -> Result<(), AppError> {
        match self.deliveries.remove_source(name).await? {
            true => Ok(()),
            false => Err(AppError::usage(
                format!("there is no source {name}"),
                "careen hooks sources lists those there are",
            )),
        }
    }

    /// Lists sources by name.
    pub async fn hook_sources(&self) -> Result<Vec<SourceView>, AppError> {
        let sources = self.deliveries.sources().await?;
        Ok(sources.iter().map(SourceView::from).collect())
    }

    /// Opens the token of a source for the code host's interface.
    pub(super) fn source_token(
        &self,
        source: &HookSource,
    ) -> Result<Option<SecretString>, AppError> {
        let row = HookSource::row(&source.name, "token");
        let opened = source.token.as_ref().map(|it| self.vault.open(&row, it));
        Ok(opened.transpose()?)
    }
}

fn draw_secret() -> SecretString {
    let bytes: [u8; 32] = rand::rng().random();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.into()
}
