//! Asks repositories that cannot tell by themselves where their branches and tags stand.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use rand::Rng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::judging::{Bench, Case};
use crate::{
    app::{App, AppError},
    ports::{Access, Verdict},
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
/// Stands for a reference in the first look at a repository: what is there then has started nothing.
const FIRST_LOOK: &str = "first look";

/// A repository to be asked.
#[derive(Debug, Clone)]
struct Wish {
    address: String,
    every: Duration,
    allow_private: bool,
    allow_local: bool,
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
        for (key, wish) in &wishes {
            let state = polled.entry(key.clone()).or_default();
            if state.next.is_none_or(|next| next <= Instant::now()) {
                look(&app, (key, wish), state).await;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
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
            });
            wish.every = wish.every.min(every);
            wish.allow_private |= is_allowed(Grant::PrivateAddress);
            wish.allow_local |= is_allowed(Grant::LocalRepository);
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
    let backed_off = wish
        .every
        .saturating_mul(2u32.saturating_pow(state.failures));
    let wait = backed_off.min(LONGEST.max(wish.every));
    let late = rand::rng().random_range(0.0..JITTER);
    state.next = Some(Instant::now() + wait + wait.mul_f64(late));
}

impl App {
    async fn poll_once(
        &self,
        (key, wish): (&str, &Wish),
        last: &mut HashMap<String, String>,
    ) -> Result<(), AppError> {
        let began = self.ports.clock.now().timestamp_millis();
        let git = repository(&wish.address)?;
        let access = Access {
            allow_private: wish.allow_private,
            allow_local: wish.allow_local,
            ..Access::default()
        };
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
        let mut verdict = bench.judge(self, &case).await;
        if is_first {
            verdict.starts.clear();
        }
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
    Verdict {
        delivery: None,
        scope: String::new(),
        to: Some(Move {
            repository: key.to_owned(),
            reference: FIRST_LOOK.to_owned(),
            before: None,
            commit: Some("done".to_owned()),
            at: None,
            seen_at: Some(began),
        }),
        replay: 0,
        starts: Vec::new(),
        declined: Vec::new(),
        summary: FIRST_LOOK.to_owned(),
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
