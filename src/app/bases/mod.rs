//! Base images: learned from tasks and runs, looked at in registries, and the runs that start when they move.

mod content;
mod learning;
mod looking;
mod starting;
mod telling;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio_util::sync::CancellationToken;

use super::App;

pub use telling::{BaseDesk, Notification, NotificationError};

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);

/// On what terms registries are asked for base images.
#[derive(Debug, Clone)]
pub struct LookTerms {
    /// How long after a look the next one is due; up to a fifth more or less, drawn for each.
    pub interval: Duration,
    /// How many looks a second one registry gets.
    pub per_second: NonZeroU32,
    /// How many looks are under way at once.
    pub at_once: usize,
}

impl Default for LookTerms {
    fn default() -> Self {
        LookTerms {
            interval: Duration::from_secs(15 * 60),
            per_second: NonZeroU32::new(20).unwrap_or(NonZeroU32::MIN),
            at_once: 32,
        }
    }
}

/// Looks at base images in registries, as often as its terms allow.
pub struct Lookout {
    app: Arc<App>,
    terms: LookTerms,
    budgets: DefaultKeyedRateLimiter<String>,
    /// Registries that asked for quiet, and until when.
    quiet: Mutex<HashMap<String, DateTime<Utc>>>,
}

impl Lookout {
    /// Makes one; it looks when it is told to.
    pub fn new(app: Arc<App>, terms: LookTerms) -> Lookout {
        Lookout {
            app,
            budgets: RateLimiter::keyed(Quota::per_second(terms.per_second)),
            terms,
            quiet: Mutex::default(),
        }
    }

    /// Looks at what is due and starts what has settled, until `stop`; any number of servers may do so.
    pub async fn tend(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look().await {
                tracing::error!("base images cannot be looked at, and are tried again: {error}");
            }
            if let Err(error) = self.app.start_moved().await {
                tracing::error!("runs of moved base images are not queued yet: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Until when a registry asked for quiet.
    fn quiet_until(&self, host: &str) -> Option<DateTime<Utc>> {
        let quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        let until = quiet.get(host).copied();
        until.filter(|until| *until > self.app.ports.clock.now())
    }

    fn keep_quiet(&self, host: &str, until: DateTime<Utc>) {
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.insert(host.to_owned(), until);
    }
}
