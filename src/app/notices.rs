//! Notices of the ends of runs: signed, carried to every hook that wants them, retried.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Sha256;

use super::App;
use crate::{
    engine::RunStatus,
    ports::{CourierError, Parcel, RunFilter, RunRow},
};

/// How often a notice is tried again; each time after about twice as long.
const TRIES: usize = 8;
/// The wait before the second try.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Which ends of runs a hook is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// All.
    All,
    /// Those that did not succeed.
    Failures,
    /// Those that did not succeed, and the first that did after one that did not.
    Recoveries,
}

/// Where ends of runs are told.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The address.
    pub url: String,
    /// What it is told.
    pub wants: Wants,
}

/// Tells the ends of runs.
pub struct Notices {
    hooks: Vec<Hook>,
    key: SecretString,
    allow_private: bool,
}

impl std::str::FromStr for Hook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = [
            ("all:", Wants::All),
            ("failures:", Wants::Failures),
            ("recoveries:", Wants::Recoveries),
        ];
        let found = words
            .iter()
            .find_map(|(word, wants)| Some((text.strip_prefix(word)?, *wants)));
        let (url, wants) = found.unwrap_or((text, Wants::All));
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(format!("{url:?} is no web address"));
        }
        Ok(Self {
            url: url.to_owned(),
            wants,
        })
    }
}

impl Wants {
    /// Says whether an end is told, given how the run of the same name before it ended.
    fn takes(self, status: RunStatus, before: Option<RunStatus>) -> bool {
        let is_fine = status == RunStatus::Succeeded;
        let was_bad = before.is_some_and(|it| it != RunStatus::Succeeded);
        match self {
            Wants::All => true,
            Wants::Failures => !is_fine,
            Wants::Recoveries => !is_fine || was_bad,
        }
    }
}

impl Notices {
    /// Tells these hooks, signed with this key.
    pub fn new(hooks: Vec<Hook>, key: SecretString) -> Self {
        Self {
            hooks,
            key,
            allow_private: false,
        }
    }

    /// Says whether hooks of tasks, too, may be in a private network; those of the server may be anywhere.
    pub fn allow_private(self, allow_private: bool) -> Self {
        Self {
            allow_private,
            ..self
        }
    }

    /// Tells that a run has ended; what cannot be delivered is logged and given up.
    pub async fn tell(&self, app: &App, run: &RunRow) {
        let hooks = self.hooks_of(app, run).await;
        if hooks.is_empty() {
            return;
        }
        let before = status_before(app, run).await;
        let wanted = hooks
            .iter()
            .filter(|(hook, _)| hook.wants.takes(run.status, before));
        let told = wanted.map(|hook| self.deliver(app, hook, (run, before)));
        futures_util::future::join_all(told).await;
    }

    /// The server's own hooks and those of the run's task, and whether each may be in a private network.
    async fn hooks_of(&self, app: &App, run: &RunRow) -> Vec<(Hook, bool)> {
        let own = self.hooks.iter().cloned();
        let mut hooks: Vec<(Hook, bool)> = own.map(|hook| (hook, true)).collect();
        // Only a run of a task bears a task's name; another's hooks would be told by mistake.
        let task = run.request["vars"]["task_name"]
            .as_str()
            .unwrap_or_default();
        if !task.is_empty()
            && let Ok(row) = app.tasks.task(task).await
        {
            let of_task = row
                .definition
                .notify
                .iter()
                .filter_map(|it| Some((it.parse().ok()?, self.allow_private)));
            hooks.extend(of_task);
        }
        hooks
    }

    async fn deliver(
        &self,
        app: &App,
        (hook, allow_private): &(Hook, bool),
        (run, before): (&RunRow, Option<RunStatus>),
    ) {
        let body = body(run, before);
        let parcel = Parcel {
            url: hook.url.clone(),
            headers: vec![
                ("careen-event".to_owned(), "run.ended".to_owned()),
                ("careen-delivery".to_owned(), delivery(run)),
                ("careen-signature".to_owned(), self.sign(&body)),
            ],
            body,
            allow_private: *allow_private,
        };
        let retries = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_jitter()
            .with_max_times(TRIES);
        let carried = (|| app.courier.carry(&parcel))
            .retry(retries)
            .when(|error| matches!(error, CourierError::TryAgain(_)))
            .await;
        if let Err(error) = carried {
            tracing::error!(run = run.id, "a notice could not be delivered: {error}");
        }
    }

    fn sign(&self, body: &str) -> String {
        let key = self.key.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(body.as_bytes());
        let digits: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("sha256={digits}")
    }
}

/// Names a notice: the same for every try, so that a receiver can drop what it has.
fn delivery(run: &RunRow) -> String {
    format!("{}.{}", run.id, run.generation)
}

fn body(run: &RunRow, before: Option<RunStatus>) -> String {
    json!({
        "event": "run.ended",
        "delivery": delivery(run),
        "run": {
            "id": run.id,
            "name": run.name,
            "status": run.status,
            "reason": run.reason,
            "cause": run.cause,
            "created_at": run.created_at,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "steps": run.steps,
        },
        "previous_status": before,
    })
    .to_string()
}

/// How the last run of the same name before this one ended.
async fn status_before(app: &App, run: &RunRow) -> Option<RunStatus> {
    let filter = RunFilter {
        name: Some(run.name.clone()),
        before: Some(run.id.clone()),
        limit: 10,
        ..RunFilter::default()
    };
    let runs = app.ports.store.runs(&filter).await.ok()?;
    runs.into_iter()
        .map(|run| run.status)
        .find(|status| status.is_ended())
}

#[cfg(test)]
mod tests {
    use super::{Hook, RunStatus, Wants};

    #[test]
    fn a_hook_says_what_it_wants() {
        let hook = |text: &str| text.parse::<Hook>();
        assert_eq!(hook("https://a/b").unwrap().wants, Wants::All);
        let recoveries = hook("recoveries:http://a").unwrap();
        assert_eq!(
            (recoveries.wants, recoveries.url.as_str()),
            (Wants::Recoveries, "http://a")
        );
        assert!(hook("failures:mail").is_err());
    }

    #[test]
    fn only_wanted_ends_are_told() {
        use RunStatus::{Errored, Failed, Succeeded};
        let cases = [
            (Succeeded, None, [true, false, false]),
            (Succeeded, Some(Succeeded), [true, false, false]),
            (Succeeded, Some(Errored), [true, false, true]),
            (Failed, Some(Succeeded), [true, true, true]),
        ];
        for (status, before, told) in cases {
            let found = [Wants::All, Wants::Failures, Wants::Recoveries]
                .map(|wants| wants.takes(status, before));
            assert_eq!(found, told, "{status} after {before:?}");
        }
    }
}
