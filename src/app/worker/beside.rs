//! A worker beside a server: whatever keeps it from working now is no reason not to serve.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Worker, WorkerTerms};
use crate::app::{App, AppError};

/// How long until it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Works until told to stop. While the engine is out of reach, or an earlier process of this name still ends its
/// runs, it is tried again and again.
pub async fn work_beside(app: Arc<App>, terms: WorkerTerms, stop: CancellationToken) {
    let mut told = None;
    while !stop.is_cancelled() {
        let error = match Worker::new(app.clone(), terms.clone()).await {
            Ok(worker) => {
                tracing::info!(worker = terms.name, pool = terms.pool, "works");
                told = None;
                match worker.work(stop.clone()).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        say_once(&terms.name, &error, &mut told);
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(AGAIN) => {}
        }
    }
}

fn say_once(worker: &str, error: &AppError, told: &mut Option<String>) {
    let words = error.to_string();
    if told.as_ref() != Some(&words) {
        tracing::warn!(worker, "no run is driven here just now: {words}");
        *told = Some(words);
    }
}
