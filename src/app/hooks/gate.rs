//! Who may deliver: the sources whose secret a delivery proves to know.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use secrecy::SecretString;

use crate::{
    app::{App, AppError},
    ports::HookSource,
    triggers::{Provider, Unsigned, verify},
};

/// For how long the sources need not be read again; one that was changed elsewhere counts after that.
const FRESH: Duration = Duration::from_secs(2);

/// Lets deliveries in.
pub struct Gate {
    app: Arc<App>,
    opened: Mutex<Option<(Instant, Arc<Vec<Opened>>)>>,
}

/// A source with its secrets open.
struct Opened {
    name: String,
    provider: Provider,
    task: Option<String>,
    secrets: Vec<SecretString>,
}

/// Who delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The source.
    pub source: String,
    /// The one task that may be started.
    pub task: Option<String>,
}

/// Why a delivery is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No source of this kind may deliver here.
    #[error("no source of {} may deliver here", .0.as_str())]
    NoSource(Provider),
    /// It does not prove to know the secret of any.
    #[error("{0}")]
    Unsigned(#[from] Unsigned),
    /// We could not look.
    #[error(transparent)]
    Trouble(#[from] AppError),
}

impl Gate {
    /// Makes the gate to a careen.
    pub fn new(app: Arc<App>) -> Gate {
        Gate {
            app,
            opened: Mutex::default(),
        }
    }

    /// Finds out who delivers at the shared door, or at a task's own.
    pub async fn admit(
        &self,
        (provider, task): (Provider, Option<&str>),
        header: impl Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Result<Admitted, Refusal> {
        let sources = self.sources().await?;
        let fits = |it: &&Opened| {
            it.provider == provider
                && (task.is_none() || it.task.is_none() || it.task.as_deref() == task)
        };
        let mut refusal = Refusal::NoSource(provider);
        for source in sources.iter().filter(fits) {
            for secret in &source.secrets {
                match verify(provider, &header, body, secret) {
                    Ok(()) => {
                        return Ok(Admitted {
                            source: source.name.clone(),
                            task: task.map(str::to_owned).or_else(|| source.task.clone()),
                        });
                    }
                    Err(why) => refusal = why.into(),
                }
            }
        }
        Err(refusal)
    }

    async fn sources(&self) -> Result<Arc<Vec<Opened>>, AppError> {
        let known = self
            .opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((at, sources)) = known
            && at.elapsed() < FRESH
        {
            return Ok(sources);
        }
        let rows = self.app.deliveries.sources().await?;
        let opened = rows
            .iter()
            .map(|row| self.open(row))
            .collect::<Result<_, _>>();
        let opened = Arc::new(opened?);
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&opened)));
        Ok(opened)
    }

    fn open(&self, source: &HookSource) -> Result<Opened, AppError> {
        let row = HookSource::row(&source.name, "secret");
        let mut secrets = vec![self.app.vault.open(&row, &source.secret)?];
        if let Some((previous, until)) = &source.previous
            && *until > self.app.ports.clock.now()
        {
            secrets.push(self.app.vault.open(&row, previous)?);
        }
        Ok(Opened {
            name: source.name.clone(),
            provider: source.provider,
            task: source.task.clone(),
            secrets,
        })
    }
}
