//! One wave over the fleet: what may be built is built, until nothing is left that can be.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    super::{App, AppError, Live, Overrides, run_now::Why},
    Gathered,
    building::Done,
    decided::Decided,
};
use crate::{
    fleet::{Action, Fleet, Rollout, admitted},
    ports::{Keyring, RegistryLogin, StoreError},
};

/// A wave to be driven by this process.
pub struct Wave<'a> {
    /// The tasks and limits.
    pub rollout: Rollout,
    /// Whether what failed before is tried again.
    pub retry: bool,
    /// The docker client's own logins.
    pub logins: Vec<RegistryLogin>,
    /// Lets what is under way be canceled, and begins nothing more.
    pub cancel: CancellationToken,
    /// Told what happens, line by line.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
}

/// Builds that this process drives, each a task of its own, for one that is not polled may hold the database's writer;
/// each gives its run when it has ended.
type UnderWay = JoinSet<(String, Result<(), AppError>)>;

impl App {
    /// Builds the tasks of a wave that are not what they should be, bases first, each once for its inputs; looks at
    /// the registries again when all is done, for a base may have moved meanwhile. Gives the fleet as it then stands.
    pub async fn patch(self: &Arc<Self>, wave: &Wave<'_>) -> Result<Gathered, AppError> {
        let keyring = self.keyring(&wave.logins).await?;
        let mut gathered = self.fleet_now(&wave.logins).await?;
        if wave.retry {
            self.try_again(&wave.rollout).await?;
            gathered = self.known_fleet().await?;
        }
        while !actions(wave, &gathered.fleet).is_empty() {
            self.pass(wave, &keyring).await?;
            gathered = self.fleet_now(&wave.logins).await?;
        }
        Ok(gathered)
    }

    /// Does what may be done until nothing more may be; what is under way is driven to its end even after an error.
    async fn pass(self: &Arc<Self>, wave: &Wave<'_>, keyring: &Keyring) -> Result<(), AppError> {
        let mut under_way = UnderWay::new();
        loop {
            let begun = self.begin_ready(wave, keyring, &mut under_way).await;
            // What was tagged again may have made room for more.
            let is_over = match begun {
                Ok(()) => actions(wave, &self.known_fleet().await?.fleet).is_empty(),
                Err(_) => true,
            };
            if under_way.is_empty() && is_over {
                return begun;
            }
            self.await_one(wave, &mut under_way).await?;
            if begun.is_err() {
                while !under_way.is_empty() {
                    self.await_one(wave, &mut under_way).await?;
                }
                return begun;
            }
        }
    }

    /// Begins everything that may be begun now.
    async fn begin_ready(
        self: &Arc<Self>,
        wave: &Wave<'_>,
        keyring: &Keyring,
        under_way: &mut UnderWay,
    ) -> Result<(), AppError> {
        let fleet = self.known_fleet().await?.fleet;
        for action in actions(wave, &fleet) {
            let done = match action {
                Action::Retag { .. } => self.retag(keyring, action).await?,
                Action::Build {
                    task,
                    inputs,
                    epoch,
                    origin,
                } => {
                    let decided = Decided {
                        task,
                        inputs,
                        epoch,
                        origin,
                        rollout: None,
                    };
                    self.begin_build(wave, decided, under_way).await?
                }
            };
            done.words.iter().for_each(|it| (wave.say)(it));
            let mut view = self.fleet.view().await?;
            self.learn_entries(&done.entries, &mut view).await?;
        }
        Ok(())
    }

    /// Queues a build for exactly these inputs, unless that was done before, and drives it.
    async fn begin_build(
        self: &Arc<Self>,
        wave: &Wave<'_>,
        decided: Decided,
        under_way: &mut UnderWay,
    ) -> Result<Done, AppError> {
        let at = self.ports.clock.now();
        let row = self.tasks.task(&decided.task).await?;
        let (mut request, secrets) = self.task_request(&row, Overrides::default()).await?;
        self.read_alias_files(&mut request, &secrets, false).await?;
        request.bases.clone_from(&decided.inputs.bases);
        let why = Why {
            cause: decided.cause(),
            trigger: Some(decided.trigger()),
            rerun_of: None,
        };
        let queued = match self.queue_for(request, secrets, &why).await {
            Err(AppError::Store(StoreError::CauseTaken(run))) => {
                let known = self.known_build(decided, run).await?;
                return Ok(Done {
                    entries: vec![known.into()],
                    words: Vec::new(),
                });
            }
            queued => queued?,
        };
        let run = queued.id.clone();
        let words = format!("{}: run {run} ({})", decided.task, why.cause);
        let fact = decided.queued(run.clone(), at);
        let live = Live {
            watcher: Arc::new(()),
            cancel: wave.cancel.clone(),
            logins: wave.logins.clone(),
            shares_cache: false,
        };
        let app = self.clone();
        under_way.spawn(async move { (run, app.drive(queued, live).await.map(|_| ())) });
        Ok(Done {
            entries: vec![fact.into()],
            words: vec![words],
        })
    }

    /// Waits for one build to end and says what became of it.
    async fn await_one(&self, wave: &Wave<'_>, under_way: &mut UnderWay) -> Result<(), AppError> {
        let Some(ended) = under_way.join_next().await else {
            return Ok(());
        };
        let lost = |error| AppError::Files(format!("a build stopped in its middle: {error}"));
        let (run, driven) = ended.map_err(lost)?;
        driven?;
        let row = self.ports.store.run(&run).await?;
        let reason = row.reason.map(|it| format!(": {it}")).unwrap_or_default();
        (wave.say)(&format!("{}: {}{reason}", row.name, row.status));
        Ok(())
    }
}

fn actions(wave: &Wave<'_>, fleet: &Fleet) -> Vec<Action> {
    if wave.cancel.is_cancelled() {
        return Vec::new();
    }
    let rollouts = std::slice::from_ref(&wave.rollout);
    admitted(fleet, rollouts).into_iter().cloned().collect()
}
