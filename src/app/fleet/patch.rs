//! One wave over the fleet: what may be built is built, until nothing is left that can be.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    super::{App, AppError, Live, Overrides, run_now::Why},
    Gathered,
    history::Decided,
};
use crate::{
    fleet::{Action, Fact, Fleet, Rollout, State, admitted},
    ports::{Keyring, RegistryLogin, StoreError, Trigger, TriggerKind},
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
        let mut gathered = self.fleet(&wave.logins).await?;
        if wave.retry {
            self.try_again(&mut gathered.fleet, &wave.rollout);
        }
        while !wave.cancel.is_cancelled() && !self.actions(wave, &gathered.fleet).is_empty() {
            self.pass(wave, &keyring, &mut gathered.fleet).await?;
            gathered = self.fleet(&wave.logins).await?;
        }
        Ok(gathered)
    }

    /// Does what may be done until nothing more may be; what is under way is driven to its end even after an error.
    async fn pass(
        self: &Arc<Self>,
        wave: &Wave<'_>,
        keyring: &Keyring,
        fleet: &mut Fleet,
    ) -> Result<(), AppError> {
        let mut under_way = UnderWay::new();
        loop {
            let begun = self
                .begin_ready(wave, keyring, (&mut *fleet, &mut under_way))
                .await;
            // What was tagged again may have made room for more.
            let is_over = begun.is_err() || self.actions(wave, fleet).is_empty();
            if under_way.is_empty() && is_over {
                return begun;
            }
            self.await_one(wave, &mut under_way, fleet).await?;
            if begun.is_err() {
                while !under_way.is_empty() {
                    self.await_one(wave, &mut under_way, fleet).await?;
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
        (fleet, under_way): (&mut Fleet, &mut UnderWay),
    ) -> Result<(), AppError> {
        for action in self.actions(wave, fleet) {
            match action {
                Action::Retag { .. } => self.retag(wave, keyring, fleet, action).await?,
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
                    };
                    let learned = self.begin_build(wave, decided, under_way).await?;
                    fleet.learn(&learned);
                }
            }
        }
        Ok(())
    }

    fn actions(&self, wave: &Wave<'_>, fleet: &Fleet) -> Vec<Action> {
        if wave.cancel.is_cancelled() {
            return Vec::new();
        }
        let rollouts = std::slice::from_ref(&wave.rollout);
        admitted(fleet, rollouts).into_iter().cloned().collect()
    }

    /// Queues a build for exactly these inputs, unless that was done before; gives what is known of it since.
    async fn begin_build(
        self: &Arc<Self>,
        wave: &Wave<'_>,
        decided: Decided,
        under_way: &mut UnderWay,
    ) -> Result<Fact, AppError> {
        let at = self.ports.clock.now();
        let row = self.tasks.task(&decided.task).await?;
        let (mut request, secrets) = self.task_request(&row, Overrides::default()).await?;
        self.read_alias_files(&mut request, &secrets, false).await?;
        request.bases.clone_from(&decided.inputs.bases);
        let why = why(&decided);
        let queued = match self.queue_for(request, secrets, &why).await {
            Err(AppError::Store(StoreError::CauseTaken(run))) => {
                return Ok(self.known(decided, run).await);
            }
            queued => queued?,
        };
        (wave.say)(&format!(
            "{}: run {} ({})",
            decided.task, queued.id, why.cause
        ));
        let run = queued.id.clone();
        let learned = decided.queued(run.clone(), at);
        let live = Live {
            watcher: Arc::new(()),
            cancel: wave.cancel.clone(),
            logins: wave.logins.clone(),
        };
        let app = self.clone();
        under_way.spawn(async move { (run, app.drive(queued, live).await.map(|_| ())) });
        Ok(learned)
    }

    /// What to make of a build that was queued before: another careen is at it, or its run was forgotten since.
    async fn known(&self, decided: Decided, run: String) -> Fact {
        let at = self.ports.clock.now();
        match self.ports.store.run(&run).await {
            Ok(row) if !row.status.is_ended() => decided.queued(run, at),
            _ => Fact::Raised {
                key: Some(decided.inputs.key()),
                epoch: decided.epoch + 1,
                task: decided.task,
                at,
            },
        }
    }

    /// Waits for one build to end and learns what became of it.
    async fn await_one(
        &self,
        wave: &Wave<'_>,
        under_way: &mut UnderWay,
        fleet: &mut Fleet,
    ) -> Result<(), AppError> {
        let Some(ended) = under_way.join_next().await else {
            return Ok(());
        };
        let lost = |error| AppError::Files(format!("a build stopped in its middle: {error}"));
        let (run, driven) = ended.map_err(lost)?;
        driven?;
        if let Some(fact) = self.ended(&run).await? {
            fleet.learn(&fact);
        }
        let row = self.ports.store.run(&run).await?;
        let reason = row.reason.map(|it| format!(": {it}")).unwrap_or_default();
        (wave.say)(&format!("{}: {}{reason}", row.name, row.status));
        Ok(())
    }

    /// Lets tags hold again what an earlier run gave; what is gone from the registry is to be built again.
    async fn retag(
        &self,
        wave: &Wave<'_>,
        keyring: &Keyring,
        fleet: &mut Fleet,
        action: Action,
    ) -> Result<(), AppError> {
        let Action::Retag {
            task,
            tags,
            run,
            key,
            epoch,
        } = action
        else {
            return Ok(());
        };
        for (image, digest) in tags {
            let is_there = self.tag_again(keyring, &image, &digest).await?;
            let at = self.ports.clock.now();
            if !is_there {
                (wave.say)(&format!(
                    "{task}: what run {run} gave is gone from the registry"
                ));
                let (key, epoch) = (Some(key), epoch + 1);
                fleet.learn(&Fact::Raised {
                    task,
                    key,
                    epoch,
                    at,
                });
                return Ok(());
            }
            (wave.say)(&format!("{task}: {image} is again what run {run} gave"));
            fleet.learn(&Fact::Seen { image, digest, at });
        }
        Ok(())
    }

    /// Raises the epoch of what failed.
    fn try_again(&self, fleet: &mut Fleet, rollout: &Rollout) {
        for task in &rollout.tasks {
            let state = fleet.graph().task(task).map(|id| &fleet.standing(id).state);
            let Some(State::Failed { run, .. }) = state else {
                continue;
            };
            let builds = fleet.facts().task(task).map(|it| &it.builds);
            let failed = builds.into_iter().flatten().find(|it| it.run == *run);
            let raised = failed.map(|it| Fact::Raised {
                task: task.clone(),
                key: Some(it.key.clone()),
                epoch: it.epoch + 1,
                at: self.ports.clock.now(),
            });
            raised.map(|fact| fleet.learn(&fact));
        }
    }
}

/// Names the cause of a build: one run for each task, input set and epoch.
fn why(decided: &Decided) -> Why {
    let set_off = decided
        .origin
        .as_ref()
        .map(|it| format!(" because {} moved", it.image));
    let Decided {
        task,
        inputs,
        epoch,
        ..
    } = decided;
    let key = format!("fleet/{task}/{}/{epoch}", inputs.key());
    Why {
        cause: format!("fleet{}", set_off.unwrap_or_default()),
        trigger: Some(Trigger::new(TriggerKind::Fleet, key, json!(decided))),
        rerun_of: None,
    }
}
