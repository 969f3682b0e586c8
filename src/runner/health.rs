//! Watches the health of detached containers that others wait for.

use std::{sync::Arc, time::Duration};

use super::{
    attempt::ended,
    dispatch::{Env, Input},
};
use crate::{
    engine::{Event, Outcome},
    ports::State,
};

/// How often a health check is looked at.
const HEALTH_INTERVAL: Duration = Duration::from_millis(200);

/// Looks at a detached container's health until it is healthy, or not, or gone.
pub(super) async fn watch(env: Arc<Env>, step: u32, attempt: u32) {
    let name = env
        .job
        .attempt_name(env.ports.store.store_id(), step, attempt);
    loop {
        tokio::time::sleep(HEALTH_INTERVAL).await;
        match env.ports.containers.inspect(&name).await {
            Ok(Some(it)) => match it.state {
                State::Running { healthy: None } | State::Created => {}
                State::Running {
                    healthy: Some(true),
                } => {
                    return env
                        .inbox
                        .send(Input::event(Event::Healthy { step, attempt }));
                }
                State::Running {
                    healthy: Some(false),
                } => {
                    let outcome = Outcome::Exited {
                        code: 1,
                        cause: Some("its health check says that it is unhealthy".to_owned()),
                        matched: true,
                    };
                    return env.inbox.send(ended(step, attempt, outcome));
                }
                // The attempt itself reports the exit.
                State::Exited(_) => return,
            },
            Ok(None) | Err(_) => return,
        }
    }
}
