//! What is done for an image: its build is queued, or an earlier one is tagged again.

use chrono::{DateTime, Utc};

use super::{
    super::{App, AppError, Occasion},
    decided::Decided,
};
use crate::{
    fleet::{Action, Fact, Fleet, Rollout, State},
    ports::{Enqueued, FleetEntry, Keyring, NewRun, Placement, StoreError, TaskRow, Trigger},
};

/// What came of something that was to be done: what is known since, and what is to be said of it.
pub(super) struct Done {
    pub entries: Vec<FleetEntry>,
    pub words: Vec<String>,
}

impl App {
    /// Queues a build on exactly these inputs for the workers, unless that was done before.
    pub(super) async fn queue_build(&self, decided: Decided) -> Result<Done, AppError> {
        let task = decided.task.clone();
        let row = self.tasks.task(&task).await?;
        let because = (decided.cause(), decided.trigger());
        let run = self.decided_run(&row, &decided, because).await?;
        let place: Placement = (&row.definition).into();
        let run_id = run.id.clone();
        let fact = match self.queue.enqueue(&run, &place).await? {
            Enqueued::Known { run } => self.known_build(decided, run).await?,
            Enqueued::Waiting { .. } | Enqueued::Skipped { .. } => {
                decided.queued(run_id.clone(), run.created_at)
            }
        };
        Ok(Done {
            entries: vec![fact.into()],
            words: vec![format!("{task}: run {run_id} ({})", run.cause)],
        })
    }

    /// Makes the run of a build on exactly these inputs.
    pub(in super::super) async fn decided_run(
        &self,
        row: &TaskRow,
        decided: &Decided,
        (cause, trigger): (String, Trigger),
    ) -> Result<NewRun, AppError> {
        let occasion = Occasion {
            triggered_by: trigger.kind.as_str().to_owned(),
            ..self.decided_occasion(&decided.task).await?
        };
        let (mut request, secrets) = self.occasional_request(row, occasion).await?;
        request.bases.clone_from(&decided.inputs.bases);
        let run = self.new_run(&request, &secrets, cause)?;
        Ok(NewRun {
            trigger: Some(trigger),
            ..run
        })
    }

    /// The source that counts for a task: the commit that is known of it, whatever its branch says by now.
    async fn decided_occasion(&self, task: &str) -> Result<Occasion, AppError> {
        let view = self.fleet.view().await?;
        let pin = view.makes.get(task).and_then(|it| it.pin.clone());
        Ok(Occasion {
            pin,
            ..Occasion::default()
        })
    }

    /// What to make of a build that was queued before: someone else is at it, or its run was forgotten since.
    pub(super) async fn known_build(
        &self,
        decided: Decided,
        run: String,
    ) -> Result<Fact, AppError> {
        let at = self.ports.clock.now();
        match self.ports.store.run(&run).await {
            Ok(row) => Ok(decided.queued(run, row.created_at)),
            Err(StoreError::NoSuchRun(_)) => Ok(Fact::Raised {
                key: Some(decided.inputs.key()),
                epoch: decided.epoch + 1,
                task: decided.task,
                at,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets tags hold again what an earlier run gave; what is gone from the registry is to be built again.
    pub(super) async fn retag(&self, keyring: &Keyring, action: Action) -> Result<Done, AppError> {
        let mut done = Done {
            entries: Vec::new(),
            words: Vec::new(),
        };
        let Action::Retag {
            task,
            tags,
            run,
            key,
            epoch,
        } = action
        else {
            return Ok(done);
        };
        for (image, digest) in tags {
            let is_there = self.tag_again(keyring, &image, &digest).await?;
            let at = self.ports.clock.now();
            if !is_there {
                let words = format!("{task}: what run {run} gave is gone from the registry");
                done.words.push(words);
                let raised = Fact::Raised {
                    task,
                    key: Some(key),
                    epoch: epoch + 1,
                    at,
                };
                done.entries.push(raised.into());
                return Ok(done);
            }
            done.words
                .push(format!("{task}: {image} is again what run {run} gave"));
            done.entries.push(Fact::Seen { image, digest, at }.into());
        }
        Ok(done)
    }

    /// Raises the epoch of what failed among the tasks of a rollout.
    pub(super) async fn try_again(&self, rollout: &Rollout) -> Result<(), AppError> {
        let mut view = self.fleet.view().await?;
        let at = self.ports.clock.now();
        let tasks = rollout.tasks.iter();
        let raised = tasks.filter_map(|task| raised(&view.fleet, task, at));
        let entries: Vec<FleetEntry> = raised.map(FleetEntry::Fact).collect();
        self.learn_entries(&entries, &mut view).await
    }
}

/// The wish to build again what failed.
pub(super) fn raised(fleet: &Fleet, task: &str, at: DateTime<Utc>) -> Option<Fact> {
    let State::Failed { run, .. } = &fleet.standing(fleet.graph().task(task)?).state else {
        return None;
    };
    let builds = &fleet.facts().task(task)?.builds;
    let failed = builds.iter().find(|it| it.run == *run)?;
    Some(Fact::Raised {
        task: task.to_owned(),
        key: Some(failed.key.clone()),
        epoch: failed.epoch + 1,
        at,
    })
}
