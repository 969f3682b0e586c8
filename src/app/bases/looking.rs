//! Looks at base images in their registries: one question each, within the registry's budget, told when it fails.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use rand::Rng;

use super::{super::AppError, Lookout};
use crate::{
    ports::{
        BaseRow, Head, Keyring, Looked, NewDecision, Observation, RegistryError, Repository, Right,
        TaskError, Watch,
    },
    spec::reference::Reference,
    triggers::{Base, Moved, Verdict, base_move},
};

/// How many are claimed at once.
const LOT: u32 = 256;
/// A claim lapses after this; then another server looks.
const HOLD: TimeDelta = TimeDelta::seconds(300);
/// How long a registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The rest after a first failure; it doubles with each.
const FIRST_REST: Duration = Duration::from_secs(60);
/// The longest rest after failures, unless the registry asks for more.
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// The longest rest that a registry is granted.
const LONGEST_QUIET: Duration = Duration::from_secs(24 * 3600);

/// What a look showed.
enum Found {
    Unchanged,
    /// This is there now, with this entity tag.
    Content(String, Option<String>),
}

impl Lookout {
    /// Looks at everything that is due and returns how many looks that were.
    pub async fn look(&self) -> Result<usize, AppError> {
        let mut looks = 0;
        loop {
            let now = self.app.ports.clock.now();
            let due = self.app.bases.claim_watches(now, now + HOLD, LOT).await?;
            if due.is_empty() {
                return Ok(looks);
            }
            looks += due.len();
            let keyring = self.app.keyring(&[]).await?;
            let looked: Vec<Option<Looked>> = stream::iter(due)
                .map(|watch| self.look_at(&keyring, watch))
                .buffer_unordered(self.terms.at_once)
                .collect()
                .await;
            let looked: Vec<Looked> = looked.into_iter().flatten().collect();
            self.app.bases.looked(&looked).await?;
        }
    }

    /// Looks once; gives what is to be recorded unless a move was.
    async fn look_at(&self, keyring: &Keyring, watch: Watch) -> Option<Looked> {
        let image = image_of(&watch.key);
        let Some(image) = image else {
            return Some(self.failed(&watch, "its key is no image".to_owned(), None));
        };
        if let Some(until) = self.quiet_until(&image.domain) {
            let problem = format!("{} asked for quiet until {until}", image.domain);
            return Some(Looked {
                next_at: until + self.spread(Duration::from_secs(30)),
                ..self.failed(&watch, problem, None)
            });
        }
        self.budgets.until_key_ready(&image.domain).await;
        let at = keyring.repository(&image, Right::Pull).await;
        match tokio::time::timeout(PATIENCE, self.ask(&at, &image, &watch)).await {
            Ok(Ok(Found::Unchanged)) => Some(self.unchanged(&watch)),
            Ok(Ok(Found::Content(to, _))) if watch.seen.as_ref() == Some(&to) => {
                Some(self.unchanged(&watch))
            }
            Ok(Ok(Found::Content(to, etag))) => match self.moved(&at, &watch, (to, etag)).await {
                Ok(()) => None,
                Err(error) => Some(self.failed(&watch, error.to_string(), None)),
            },
            Ok(Err(error)) => {
                if let Some(wait) = error.retry_after() {
                    let wait = TimeDelta::from_std(wait.min(LONGEST_QUIET)).unwrap_or(HOLD);
                    self.keep_quiet(&image.domain, self.app.ports.clock.now() + wait);
                }
                Some(self.failed(&watch, error.to_string(), error.retry_after()))
            }
            Err(_) => {
                let problem = format!("{} does not answer", image.domain);
                Some(self.failed(&watch, problem, None))
            }
        }
    }

    async fn ask(
        &self,
        at: &Repository,
        image: &Reference,
        watch: &Watch,
    ) -> Result<Found, RegistryError> {
        let registry = &self.app.ports.registry;
        let tag = image.tag.as_deref().unwrap_or("latest");
        if let Some(rule) = &watch.rule {
            let tags = registry.tags(at).await?;
            let newest = rule.newest(tag, &tags).cloned();
            return Ok(newest.map_or(Found::Unchanged, |tag| Found::Content(tag, None)));
        }
        // The entity tag of a look that was never recorded would hide a move.
        let etag = watch.etag.as_deref().filter(|_| watch.seen.is_some());
        Ok(match registry.head_once(at, tag, etag).await? {
            Head::Unchanged => Found::Unchanged,
            Head::Found { digest, etag, .. } => Found::Content(digest, etag),
        })
    }

    /// Records a move and what it means to each task that stands on it.
    async fn moved(
        &self,
        at: &Repository,
        watch: &Watch,
        (to, etag): (String, Option<String>),
    ) -> Result<(), AppError> {
        let is_same_content = match (&watch.seen, &watch.rule) {
            (Some(from), None) => self.app.is_same_content(at, from, &to).await,
            _ => false,
        };
        let moved = Moved {
            from: watch.seen.as_deref(),
            to: &to,
            is_same_content,
        };
        let mut decisions = Vec::new();
        for row in self.app.bases.bases_on(&watch.key).await? {
            decisions.push(self.decide(row, moved).await?);
        }
        let now = self.app.ports.clock.now();
        let observation = Observation {
            key: watch.key.clone(),
            from: watch.seen.clone(),
            to: to.clone(),
            etag,
            how: watch.prompt.clone().unwrap_or_else(|| "poll".to_owned()),
            at: now,
            next_at: now + self.spread(self.terms.interval),
        };
        // Another server may have been faster; then it has decided, too.
        self.app.bases.observe(&observation, &decisions).await?;
        if watch.rule.is_none() {
            self.app.know_seen(&watch.key, &to).await?;
        }
        Ok(())
    }

    async fn decide(&self, row: BaseRow, moved: Moved<'_>) -> Result<NewDecision, AppError> {
        let decision = |due_at, reason| NewDecision {
            task: row.task.clone(),
            due_at,
            reason,
        };
        let task = match self.app.tasks.task(&row.task).await {
            Ok(found) => found.definition,
            Err(TaskError::NoSuchTask(_)) => {
                return Ok(decision(None, "the task is gone".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        let base = Base {
            key: row.key.clone(),
            is_runtime: row.is_runtime,
            stood_on: row.stood_on.clone(),
        };
        let settle = task.triggers.base_image.as_ref();
        let settle = settle.map_or(0, |it| it.settle_seconds);
        let due_at = self.app.ports.clock.now() + TimeDelta::seconds(i64::from(settle));
        Ok(match base_move(&task, &base, moved) {
            Verdict::Start(reason) => decision(Some(due_at), reason),
            Verdict::Nothing(reason) => decision(None, reason),
        })
    }

    fn unchanged(&self, watch: &Watch) -> Looked {
        let now = self.app.ports.clock.now();
        Looked {
            key: watch.key.clone(),
            at: now,
            next_at: now + self.spread(self.terms.interval),
            problem: None,
        }
    }

    fn failed(&self, watch: &Watch, problem: String, asked: Option<Duration>) -> Looked {
        let now = self.app.ports.clock.now();
        let doubled = FIRST_REST * 2_u32.pow(watch.failures.min(10));
        let asked = asked.unwrap_or_default().min(LONGEST_QUIET);
        let rest = doubled.min(LONGEST_REST).max(asked);
        tracing::warn!(watch.key, "not looked at, and tried again: {problem}");
        Looked {
            key: watch.key.clone(),
            at: now,
            // Never sooner than the registry asked for.
            next_at: now + self.spread(rest).max(delta(asked)),
            problem: Some(problem),
        }
    }

    /// A time of about this length, up to a fifth more or less, so that looks do not come all at once.
    fn spread(&self, time: Duration) -> TimeDelta {
        delta(time.mul_f64(rand::rng().random_range(0.8..1.2)))
    }
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}

/// The image that a key names, without the rule in braces.
fn image_of(key: &str) -> Option<Reference> {
    let image = key.split('{').next().unwrap_or(key);
    Reference::parse(image).ok()
}
