//! Lets a run wait in a pool for a worker, and cancels runs.

use super::{App, AppError, Request, Secrets, ids};
use crate::ports::{Cancellation, Enqueued, Placement, StoreError};

/// Draws of an id before giving up; two are rarely needed.
const ID_DRAWS: usize = 5;

impl App {
    /// Records a run that waits for a worker and returns its id; the worker checks and plans it.
    pub async fn enqueue(
        &self,
        mut request: Request,
        secrets: &Secrets,
        place: &Placement,
        cause: &str,
    ) -> Result<(String, Enqueued), AppError> {
        for _ in 0..ID_DRAWS {
            let run = self.new_run(&request, secrets, cause.to_owned())?;
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

    /// Cancels a run, whatever it is doing.
    pub async fn cancel(&self, run: &str, reason: &str) -> Result<Cancellation, AppError> {
        Ok(self.queue.cancel(run, reason).await?)
    }
}
