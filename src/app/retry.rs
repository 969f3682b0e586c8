//! Retries a run that did not succeed: what it made and is still there is not made again.

use std::sync::Arc;

use super::{App, AppError, Prepared, Queued, Request, Secrets};
use crate::{
    engine::{RunStatus, StepStatus},
    plan::Plan,
    ports::{CredentialScopes, Enqueued, RunRow, StepRow},
    runner::Kept,
    spec::StepKind,
};

impl App {
    /// Queues a retry of a run that did not succeed and claims it for this process.
    pub async fn retry(&self, run: &str) -> Result<Queued, AppError> {
        let (_, request, secrets) = self.retry_request(run).await?;
        self.queue(request, secrets, Some(run.to_owned())).await
    }

    /// Queues a retry that waits for a worker where the first run did.
    pub async fn enqueue_retry(
        &self,
        run: &str,
        bound: Option<&CredentialScopes>,
    ) -> Result<(String, Enqueued), AppError> {
        let (row, mut request, secrets) = self.retry_request(run).await?;
        request.bind(bound);
        let cause = format!("retry of {run}");
        self.enqueue_like(&row, (request, &secrets), cause).await
    }

    async fn retry_request(&self, run: &str) -> Result<(RunRow, Request, Secrets), AppError> {
        let row = self.ports.store.run(run).await?;
        if !row.status.is_ended() {
            return Err(AppError::usage(
                format!("run {run} has not ended"),
                format!("careen runs cancel {run} stops it"),
            ));
        }
        if row.status == RunStatus::Succeeded {
            return Err(AppError::usage(
                format!("run {run} succeeded: nothing is left to do"),
                format!("careen runs rerun {run} runs all of it again"),
            ));
        }
        let (mut request, secrets) = self.request_again(&row).await?;
        request.retry_of = Some(run.to_owned());
        Ok((row, request, secrets))
    }

    /// Finds the steps that a retry need not run again; none where nothing is known of the first run any more.
    pub(super) async fn kept(&self, queued: &Queued) -> Result<Vec<Kept>, AppError> {
        let Some(first) = &queued.request.retry_of else {
            return Ok(Vec::new());
        };
        let Ok(row) = self.ports.store.run(first).await else {
            return Ok(Vec::new());
        };
        let (request, secrets) = self.recorded_request(&row).await?;
        let Ok(Prepared { plan, .. }) = self.prepare(&request, &secrets) else {
            return Ok(Vec::new());
        };
        let rows = self.ports.store.steps(first).await?;
        let mut stays = vec![false; queued.plan.steps().len()];
        let mut kept = Vec::new();
        for row in rows {
            let step = row.step as usize;
            if is_same(&plan, &queued.plan, step) && self.stays(&plan, &row).await? {
                stays[step] = true;
                kept.push(Kept {
                    step: row.step,
                    run: row_run(first, &row),
                    images: row.images,
                });
            }
        }
        let again = queued.plan.to_run_again(&stays);
        kept.retain(|kept| !again[kept.step as usize]);
        Ok(kept)
    }

    /// Says whether a step ended well and what it made is still there.
    async fn stays(&self, plan: &Plan, row: &StepRow) -> Result<bool, AppError> {
        if row.status != StepStatus::Succeeded || row.ignored {
            return Ok(false);
        }
        let StepKind::Build(build) = &plan.step(row.step).kind else {
            return Ok(true);
        };
        let id = row.images[0]["id"].as_str();
        for tag in &build.tags {
            let image = self.ports.images.image(tag).await?;
            if id.is_none() || image.map(|it| it.id).as_deref() != id {
                return Ok(false);
            }
        }
        // What has no name cannot be found again.
        Ok(!build.tags.is_empty())
    }
}

/// Steps that name things after their run, or read the clock, are others in another run.
fn is_same(first: &Arc<Plan>, second: &Arc<Plan>, step: usize) -> bool {
    let pair = first.steps().get(step).zip(second.steps().get(step));
    pair.is_some_and(|(first, second)| first == second)
}

/// The run that really ran the step: a retry may itself have kept it.
fn row_run(first: &str, row: &StepRow) -> String {
    let reason = row.reason.as_deref().unwrap_or_default();
    let from = reason.strip_prefix(crate::engine::KEPT_FROM);
    from.unwrap_or(first).to_owned()
}
