//! Asks repositories that cannot tell by themselves where their branches and tags stand.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt;
use rand::Rng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::judging::{Bench, Case};
use crate::{
    app::{App, AppError},
    ports::{Access, Ruling, Verdict},
    spec::{
        Grant,
        context::{self, ContextRef, GitRef},
    },
    tasks::Status,
    triggers::{Author, Happening, Move, Push, Reference, SourceFact, repository_key},
};

/// How often is looked which repositories are to be asked.
const LOOK: Duration = Duration::from_secs(1);
/// For how long the tasks need not be read again.
const FRESH: Duration = Duration::from_secs(15);
/// The shortest time between two questions.
const SHORTEST: u32 = 5;
/// The longest wait after failures.
const LONGEST: Duration = Duration::from_secs(3600);
/// How much later than due a repository is asked, at most, in parts of the time between.
const JITTER: f64 = 0.1;
/// Repositories that are asked at the same time.
const AT_ONCE: usize = 8;
/// Stands for a reference in the first look at a repository: what is there then has started nothing.
const FIRST_LOOK: &str = "first look";

/// A repository to be asked.
#[derive(Debug, Clone)]
struct Wish {
    address: String,
    every: Duration,
    allow_private: bool,
    allow_local: bool,
    /// The connection whose login asks.
    connection: Option<String>,
}

/// How it went so far.
#[derive(Default)]
struct Polled {
    next: Option<Instant>,
    failures: u32,
    last: HashMap<String, String>,
}

/// Polls until it is told to stop.
pub async fn poll_sources(app: Arc<App>, stop: CancellationToken) {
    let mut polled: HashMap<String, Polled> = HashMap::new();
    let (mut wishes, mut read_at) = (BTreeMap::new(), None::<Instant>);
    loop {
        if read_at.is_none_or(|at| at.elapsed() >= FRESH) {
            match wished(&app).await {
                Ok(found) => wishes = found,
                Err(error) => tracing::error!("tasks could not be read: {error}"),
            }
            read_at = Some(Instant::now());
        }
        polled.retain(|key, _| wishes.contains_key(key));
        for key in wishes.keys() {
            polled.entry(key.clone()).or_default();
        }
        look_at_due(&app, &wishes, &mut polled).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Asks all repositories that are due, some at once, so that a slow one holds up few.
async fn look_at_due(
    app: &App,
    wishes: &BTreeMap<String, Wish>,
    polled: &mut HashMap<String, Polled>,
) {
    let due = polled.iter_mut().filter_map(|(key, state)| {
        let is_due = state.next.is_none_or(|next| next <= Instant::now());
        Some((key.as_str(), wishes.get(key)?, state)).filter(|_| is_due)
    });
    let looks = futures_util::stream::iter(due);
    let look = |(key, wish, state)| look(app, (key, wish), state);
    looks.for_each_concurrent(AT_ONCE, look).await;
}

/// The repositories that tasks want to have asked, each as often as the task that is most in a hurry wants.
async fn wished(app: &App) -> Result<BTreeMap<String, Wish>, AppError> {
    let mut wishes: BTreeMap<String, Wish> = BTreeMap::new();
    for row in app.tasks.tasks(&Default::default()).await? {
        let task = row.definition;
        let is_allowed = |wanted: Grant| {
            let mut allowed = task.allow.iter().filter_map(|word| Grant::parse(word));
            allowed.any(|grant| grant == wanted)
        };
        for trigger in &task.triggers.source {
            let is_on = task.status == Status::Enabled && trigger.status == Status::Enabled;
            let (Some(seconds), true) = (trigger.poll_seconds, is_on) else {
                continue;
            };
            let Some(key) = repository_key(&trigger.repository) else {
                continue;
            };
            let every = Duration::from_secs(seconds.max(SHORTEST).into());
            let wish = wishes.entry(key).or_insert_with(|| Wish {
                address: trigger.repository.clone(),
                every,
                allow_private: false,
                allow_local: false,
                connection: None,
            });
            wish.every = wish.every.min(every);
            wish.allow_private |= is_allowed(Grant::PrivateAddress);
            wish.allow_local |= is_allowed(Grant::LocalRepository);
            let connection = trigger.connection.as_ref();
            wish.connection = wish.connection.take().or(connection.cloned());
        }
    }
    Ok(wishes)
}

/// Asks a repository once, and says when to do so next.
async fn look(app: &App, (key, wish): (&str, &Wish), state: &mut Polled) {
    let looked = app.poll_once((key, wish), &mut state.last).await;
    state.failures = match &looked {
        Ok(()) => 0,
        Err(error) => {
            tracing::warn!(repository = key, "could not be asked: {error}");
            state.failures + 1
        }
    };
    let late = rand::rng().random_range(0.0..JITTER);
    state.next = Some(Instant::now() + wait(wish.every, state.failures).mul_f64(1.0 + late));
}

/// How long a repository is left alone after so many failures in a row.
fn wait(every: Duration, failures: u32) -> Duration {
    let backed_off = every.saturating_mul(2u32.saturating_pow(failures));
    backed_off.min(LONGEST.max(every))
}

impl App {
    async fn poll_once(
        &self,
        (key, wish): (&str, &Wish),
        last: &mut HashMap<String, String>,
    ) -> Result<(), AppError> {
        let began = self.ports.clock.now().timestamp_millis();
        let git = repository(&wish.address)?;
        let access = self.poll_access(wish, &git).await?;
        let heads = self.ports.contexts.heads(&git, &access).await?;
        let moved: Vec<&(String, String)> = heads
            .iter()
            .filter(|(name, commit)| last.get(name) != Some(commit))
            .collect();
        if !moved.is_empty() {
            let is_known =
                !last.is_empty() || self.deliveries.knows_head("", key, FIRST_LOOK).await?;
            let is_first = !is_known;
            let bench = Bench::of(self).await?;
            for (name, commit) in moved {
                self.judge_head(&bench, (wish, began), (name, commit, is_first))
                    .await?;
            }
            if is_first {
                self.deliveries
                    .decide(&first_look(key, began, self))
                    .await?;
            }
        }
        *last = heads.into_iter().collect();
        Ok(())
    }

    /// By what right a repository is asked.
    async fn poll_access(&self, wish: &Wish, git: &GitRef) -> Result<Access, AppError> {
        let host = ContextRef::Git(git.clone()).host();
        let login = match (&wish.connection, &host) {
            (Some(connection), Some(host)) => Some(self.git_login(connection, host).await?),
            _ => None,
        };
        Ok(Access {
            login_host: host.filter(|_| login.is_some()),
            login,
            allow_private: wish.allow_private,
            allow_local: wish.allow_local,
            ..Access::default()
        })
    }

    /// Judges that a reference stands at a commit. What the first look finds is where things stand, and starts nothing.
    async fn judge_head(
        &self,
        bench: &Bench,
        (wish, began): (&Wish, i64),
        (name, commit, is_first): (&str, &str, bool),
    ) -> Result<(), AppError> {
        let fact = SourceFact {
            addresses: vec![wish.address.clone()],
            happening: Happening::Push(Push {
                reference: Reference::of(name),
                before: None,
                commit: commit.to_owned(),
                author: Author::default(),
                message: String::new(),
                paths: None,
                at: None,
            }),
        };
        let case = Case {
            fact: &fact,
            task: None,
            source: None,
            seen_at: Some(began),
        };
        let mut ruling = bench.judge(self, &case).await;
        if is_first {
            ruling.starts.clear();
        }
        let verdict = verdict(ruling, self);
        let decided = self.deliveries.decide(&verdict).await?;
        tracing::info!(
            repository = wish.address,
            reference = name,
            "seen: {}",
            decided.summary
        );
        Ok(())
    }
}

/// Notes that a repository was looked at.
fn first_look(key: &str, began: i64, app: &App) -> Verdict {
    let ruling = Ruling {
        to: Some(Move {
            repository: key.to_owned(),
            reference: FIRST_LOOK.to_owned(),
            before: None,
            commit: Some("done".to_owned()),
            at: None,
            seen_at: Some(began),
        }),
        ..Ruling::none(FIRST_LOOK)
    };
    verdict(ruling, app)
}

/// The verdict on what a poll saw.
fn verdict(ruling: Ruling, app: &App) -> Verdict {
    Verdict {
        delivery: None,
        scope: String::new(),
        replay: 0,
        rulings: vec![ruling],
        at: app.ports.clock.now(),
    }
}

fn repository(address: &str) -> Result<GitRef, AppError> {
    let misspelt = |message: String| AppError::usage(message, "Write https://HOST/NAME.git");
    let written = context::read(address).map_err(|error| misspelt(error.message))?;
    match written.context {
        ContextRef::Git(git) => Ok(git),
        _ => Err(misspelt(format!("{address} is no address of a repository"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, wait};

    #[test]
    fn who_cannot_be_asked_is_asked_less_and_less_but_never_given_up() {
        let seconds = |every, failures| wait(Duration::from_secs(every), failures).as_secs();
        let of_a_minute = [0, 1, 2, 5, 6, 40].map(|failures| seconds(60, failures));
        assert_eq!(of_a_minute, [60, 120, 240, 1920, 3600, 3600]);
        assert_eq!(seconds(7200, 3), 7200, "a long interval is not shortened");
    }
}
