//! Lets a run wait in a pool for a worker, and cancels runs.

use super::{App, AppError, PlaceWish, Request, Secrets, ids};
use crate::{
    engine::RunStatus,
    ports::{
        Cancellation, DEFAULT_POOL, Enqueued, Group, GroupPolicy, LimitScope, OnWorkerLoss, Pin,
        Place, Placement, RunRow, StoreError,
    },
    tasks::{Concurrency, Definition, Policy, WorkerLoss},
};

/// Draws of an id before giving up; two are rarely needed.
const ID_DRAWS: usize = 5;

/// Why a run waits that a person must approve.
const APPROVAL: &str = "someone must approve it";

/// Where the runs of a task wait.
impl From<&Definition> for Placement {
    fn from(task: &Definition) -> Self {
        let wish = PlaceWish {
            pool: task.pool.clone(),
            priority: task.priority,
            concurrency: task.concurrency.clone(),
            on_worker_loss: task.on_worker_loss,
        };
        Placement {
            task: Some(task.name.clone()),
            ..wish.into()
        }
    }
}

impl From<PlaceWish> for Placement {
    fn from(wish: PlaceWish) -> Self {
        Placement {
            pool: wish.pool.unwrap_or_else(|| DEFAULT_POOL.to_owned()),
            priority: wish.priority,
            task: None,
            group: wish.concurrency.map(group),
            on_worker_loss: match wish.on_worker_loss {
                WorkerLoss::Error => OnWorkerLoss::Error,
                WorkerLoss::Retry => OnWorkerLoss::Retry,
            },
        }
    }
}

fn group(wish: Concurrency) -> Group {
    Group {
        name: wish.group,
        policy: match wish.policy {
            Policy::Queue => GroupPolicy::Queue,
            Policy::CancelSuperseded => GroupPolicy::CancelSuperseded,
            Policy::Skip => GroupPolicy::Skip,
        },
    }
}

impl App {
    /// Records a run that waits for a worker and returns its id; the worker checks and plans it.
    pub async fn enqueue(
        &self,
        request: Request,
        secrets: &Secrets,
        place: &Placement,
        cause: &str,
    ) -> Result<(String, Enqueued), AppError> {
        let cause = (cause.to_owned(), None);
        self.enqueue_because((request, secrets), place, cause).await
    }

    /// Queues a recorded request again, as a run of its own that waits where the first did.
    pub async fn enqueue_again(&self, run: &str) -> Result<(String, Enqueued), AppError> {
        let row = self.ports.store.run(run).await?;
        let (request, secrets) = self.request_again(&row).await?;
        self.enqueue_like(&row, (request, &secrets), format!("rerun of {run}"))
            .await
    }

    /// Queues what repeats a run, where that waited.
    pub(super) async fn enqueue_like(
        &self,
        row: &RunRow,
        (mut request, secrets): (Request, &Secrets),
        cause: String,
    ) -> Result<(String, Enqueued), AppError> {
        if request.pin.is_none() && !self.ports.store.is_shared() {
            request.pin = kept_folder(row);
        }
        let place = row.placement.clone().unwrap_or_default();
        let cause = (cause, Some(row.id.clone()));
        self.enqueue_because((request, secrets), &place, cause)
            .await
    }

    async fn enqueue_because(
        &self,
        (mut request, secrets): (Request, &Secrets),
        place: &Placement,
        (cause, rerun_of): (String, Option<String>),
    ) -> Result<(String, Enqueued), AppError> {
        for _ in 0..ID_DRAWS {
            let mut run = self.new_run(&request, secrets, cause.clone())?;
            run.rerun_of.clone_from(&rerun_of);
            match self.queue.enqueue(&run, place).await {
                Err(StoreError::IdTaken(_)) => {
                    request.vars.id = ids::draw(self.ports.clock.now());
                }
                Err(error) => return Err(error.into()),
                Ok(enqueued) => return Ok((run.id, enqueued)),
            }
        }
        Err(StoreError::IdTaken(request.vars.id).into())
    }

    /// Says where a run stands in its queue and what it waits for: limits, and a disk without room; `None` when it does
    /// not wait.
    pub async fn place(&self, run: &RunRow) -> Result<Option<Place>, StoreError> {
        if run.status != RunStatus::Queued || run.placement.is_none() {
            return Ok(None);
        }
        let mut place = self.queue.place(&run.id).await?;
        if let (Some(place), Err(full)) = (&mut place, self.room.check()) {
            place.waits_for.push(full.to_string());
        }
        if let (Some(place), Some(true)) =
            (&mut place, run.trigger.as_ref().map(|it| it.needs_approval))
        {
            place.waits_for.push(APPROVAL.to_owned());
        }
        Ok(place)
    }

    /// Cancels a run, whatever it is doing.
    pub async fn cancel(&self, run: &str, reason: &str) -> Result<Cancellation, AppError> {
        Ok(self.queue.cancel(run, reason).await?)
    }

    /// Makes the queue heed how many runs of a task may be under way at once.
    pub(super) async fn limit_task(&self, task: &Definition) -> Result<(), AppError> {
        let scope = LimitScope::Task(task.name.clone());
        let set = self.queue.limits().await?;
        let set = set.iter().find(|row| row.scope == scope.to_string());
        if set.map(|row| row.allowed) != task.max_runs {
            self.queue.set_limit(&scope, task.max_runs).await?;
        }
        Ok(())
    }
}

/// The files of this machine that a worker kept of a run.
fn kept_folder(row: &RunRow) -> Option<Pin> {
    let pin: Option<Pin> = serde_json::from_value(row.prepared["context"].clone()).ok()?;
    pin.filter(|pin| matches!(pin, Pin::Folder { .. }))
}
