//! Starts of containers, a moment apart.
//!
//! Engines keep what they know of networks in a file, which a start opens and locks some thirty times in its first
//! milliseconds; who finds it locked looks again after 50 ms. Two starts at one moment take half as long again.

use std::time::Duration;

use bollard::query_parameters::StartContainerOptions;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use crate::ports::EngineError;

use super::{DockerEngine, errors::start_error, port_holder::name_holder};

/// How long a start is about that file.
const APART: Duration = Duration::from_millis(15);

/// When the next start may be asked for.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Option<Instant>>);

impl Turns {
    /// Waits for a turn, in the order of asking.
    async fn come(&self) {
        let mut next = self.0.lock().await;
        if let Some(next) = *next {
            sleep_until(next).await;
        }
        *next = Some(Instant::now() + APART);
    }
}

/// Starts a container.
pub(super) async fn start(engine: &DockerEngine, id: &str) -> Result<(), EngineError> {
    let docker = engine.docker().await?;
    engine.starts().come().await;
    let started = docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    match started.map_err(|error| start_error(engine.error(error))) {
        Ok(()) => Ok(()),
        Err(error) => Err(name_holder(engine, error).await),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn starts_asked_for_at_once_come_one_after_another_and_a_late_one_at_once() {
        let turns = Turns::default();
        let begun = Instant::now();
        let come = || async {
            turns.come().await;
            begun.elapsed()
        };
        let times = join_all([come(), come(), come()]).await;
        // Tokio's clock ticks in milliseconds.
        for (time, turn) in times.into_iter().zip(0..) {
            assert!(
                time >= APART * turn && time < APART * (turn + 1),
                "{time:?}"
            );
        }
        tokio::time::sleep(APART).await;
        let late = begun.elapsed();
        assert_eq!(come().await, late);
    }
}
