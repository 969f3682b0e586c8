//! Lets a run wait in a pool for a worker, and cancels runs.

use super::{App, AppError, Limits, PlaceWish, Request, Secrets, ids, run_task::limits, workers};
use crate::{
    engine::RunStatus,
    ports::{
        Cancellation, CredentialScopes, DEFAULT_POOL, Enqueued, Group, GroupPolicy, LimitScope,
        Needs, OnWorkerLoss, Pin, Place, Placement, RunRow, StoreError, platform_name,
    },
    tasks::{Concurrency, Definition, Policy, WorkerLoss},
};

/// Draws of an id before giving up; two are rarely needed.
const ID_DRAWS: usize = 5;

/// Billionths in a thousandth.
const NANO_IN_MILLI: u64 = 1_000_000;
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
            platform: task.platform.clone(),
            labels: task.labels.clone(),
        };
        Placement {
            task: Some(task.name.clone()),
            ..wish.placement(&limits(task))
        }
    }
}

impl PlaceWish {
    /// Where a run waits whose steps may use so much.
    pub fn placement(self, limits: &Limits) -> Placement {
        Placement {
            pool: self.pool.unwrap_or_else(|| DEFAULT_POOL.to_owned()),
            priority: self.priority,
            task: None,
            group: self.concurrency.map(group),
            on_worker_loss: match self.on_worker_loss {
                WorkerLoss::Error => OnWorkerLoss::Error,
                WorkerLoss::Retry => OnWorkerLoss::Retry,
            },
            needs: Needs {
                cpu_millis: limits.nano_cpus.unwrap_or(0) / NANO_IN_MILLI,
                memory_bytes: limits.memory_bytes.unwrap_or(0),
                platform: self.platform.as_deref().and_then(platform_name),
                labels: self.labels,
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
    pub async fn enqueue_again(
        &self,
        run: &str,
        bound: Option<&CredentialScopes>,
    ) -> Result<(String, Enqueued), AppError> {
        let row = self.ports.store.run(run).await?;
        let (mut request, secrets) = self.request_again(&row).await?;
        request.bind(bound);
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

    /// Says where a run stands in its queue and what it waits for: limits, a disk without room, a worker that fits;
    /// `None` when it does not wait.
    pub async fn place(&self, run: &RunRow) -> Result<Option<Place>, StoreError> {
        if run.status != RunStatus::Queued || run.placement.is_none() {
            return Ok(None);
        }
        let Some(mut place) = self.queue.place(&run.id).await? else {
            return Ok(None);
        };
        place
            .waits_for
            .extend(self.room.check().err().map(|full| full.to_string()));
        if let Some(placement) = &run.placement {
            let workers = self.workers.workers().await?;
            place
                .waits_for
                .extend(workers::none_fits(placement, &workers));
        }
        if run.trigger.as_ref().is_some_and(|it| it.needs_approval) {
            place.waits_for.push(APPROVAL.to_owned());
        }
        Ok(Some(place))
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
