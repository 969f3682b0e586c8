//! One attempt of a `cmd` step: its container from making to exit.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    dispatch::{Env, Input},
    explain, lease, logging,
    making::{Made, command, make},
    registry_faults,
};
use crate::{
    engine::{Event, Fault, FaultKind, Outcome},
    logs::LogError,
    ports::{EngineError, Exit, ImageInfo, Right, StoreError},
};

/// How long a container may take to stop by itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// Runs an attempt and reports `Started` and `Ended`, or `Stopped`.
pub(super) async fn run(
    env: Arc<Env>,
    step: u32,
    attempt: u32,
    ahead: Option<JoinHandle<Option<Made>>>,
    stop: CancellationToken,
) {
    env.foresee(step);
    let event = match make(&env, step, attempt, ahead, &stop).await {
        Err(_) if env.deadline.is_over() => lease::lost(&env),
        Ok(Some(made)) => start(&env, step, attempt, made, stop).await,
        Ok(None) => Input::event(Event::Stopped { step, attempt }),
        Err(error) => {
            let outcome = registry_faults::refused(&env, step, (Right::Pull, &error)).await;
            ended(step, attempt, outcome)
        }
    };
    env.inbox.send(event);
}

/// Takes up an attempt whose container is there already, after the loop that started it has died.
pub(super) async fn attach(
    env: Arc<Env>,
    step: u32,
    attempt: u32,
    container: String,
    stop: CancellationToken,
) {
    let event = live(&env, step, attempt, &container, stop).await;
    env.inbox.send(event);
}

async fn start(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    made: Made,
    stop: CancellationToken,
) -> Input {
    let ready = tokio::select! {
        ready = env.ready(step) => ready,
        () = stop.cancelled() => return Input::event(Event::Stopped { step, attempt }),
    };
    if let Err(error) = ready {
        return ended(step, attempt, explain::refused(&env.job, step, &error));
    }
    if stop.is_cancelled() {
        return Input::event(Event::Stopped { step, attempt });
    }
    // A process that slept past its deadline must start nothing: another may have the run.
    if env.deadline.is_over() {
        return lease::lost(env);
    }
    env.is_pristine.store(false, Ordering::Release);
    if let Err(error) = env.ports.containers.start(&made.id).await {
        return ended(step, attempt, explain::refused(&env.job, step, &error));
    }
    env.networks.want();
    env.inbox
        .send(started(env, (step, attempt), &made.id, made.image.as_ref()));
    live(env, step, attempt, &made.id, stop).await
}

/// Makes the message that a container has started, with what is known of its image.
pub(super) fn started(
    env: &Env,
    (step, attempt): (u32, u32),
    container: &str,
    image: Option<&ImageInfo>,
) -> Input {
    let name = command(env, step).map(|command| command.image.as_str());
    let images =
        image.map(|info| json!({ "image": name, "id": info.id, "digests": info.repo_digests }));
    let event = Event::Started {
        step,
        attempt,
        container: container.to_owned(),
        has_health_check: image.is_some_and(|info| info.has_health_check),
    };
    Input::Event(event, images)
}

/// Follows a started container to its end; stops it when asked to.
async fn live(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    container: &str,
    stop: CancellationToken,
) -> Input {
    let log = match logging::open(env, step, attempt).await {
        Ok(log) => log,
        Err(error) => return unlogged(step, attempt, &error),
    };
    let (containers, id) = (env.ports.containers.clone(), container.to_owned());
    let hearing = tokio::spawn(logging::follow(log, move |since| {
        containers.output(&id, since)
    }));
    let waiting = env.ports.containers.wait(container);
    tokio::pin!(waiting);
    let (exit, was_stopped) = tokio::select! {
        exit = &mut waiting => (exit, false),
        () = stop.cancelled() => {
            let _ = env.ports.containers.stop(container, GRACE).await;
            (waiting.await, true)
        }
    };
    let matched = match hearing.await {
        // A step that looks for no text is tried again whatever it said.
        Ok(Ok(written)) => written.matched || explain::matches(&env.job, step, ""),
        Ok(Err(error)) => return unlogged(step, attempt, &error),
        Err(_) => false,
    };
    if was_stopped {
        return Input::event(Event::Stopped { step, attempt });
    }
    let outcome = match exit {
        Ok(exit) => judge(env, exit, matched).await,
        Err(error) => explain::faulted(&env.job, step, lost(&error)),
    };
    ended(step, attempt, outcome)
}

/// An exit is the command's own word only if the engine did not stop meanwhile.
async fn judge(env: &Arc<Env>, exit: Exit, matched: bool) -> Outcome {
    if exit.code != 0 && !exit.out_of_memory {
        match env.ports.containers.info().await {
            Ok(info) if !restarted_since(info.started_at, exit.at) => {}
            Ok(_) => {
                let gone = EngineError::Broken("it was restarted".to_owned());
                return Outcome::Faulted {
                    fault: lost(&gone),
                    matched: false,
                };
            }
            Err(error) => {
                return Outcome::Faulted {
                    fault: lost(&error),
                    matched: false,
                };
            }
        }
    }
    Outcome::Exited {
        code: exit.code,
        cause: exit.out_of_memory.then(|| "out of memory".to_owned()),
        matched,
    }
}

fn restarted_since(
    started: Option<chrono::DateTime<chrono::Utc>>,
    exit: Option<chrono::DateTime<chrono::Utc>>,
) -> bool {
    matches!((started, exit), (Some(started), Some(exit)) if exit < started)
}

/// The container was running and its end was not seen.
pub(super) fn lost(error: &EngineError) -> Fault {
    let mut fault = explain::fault(error);
    if !matches!(error, EngineError::Broken(_)) {
        fault.message = format!("lost sight of the container: {}", fault.message);
    }
    fault.kind = FaultKind::Lost;
    fault
}

/// Says that an attempt could not be logged.
pub(super) fn unlogged(step: u32, attempt: u32, error: &LogError) -> Input {
    let hint = match error {
        LogError::Store(StoreError::DiskFull) => "Free some space where careen keeps its data",
        LogError::Store(StoreError::Objects(error)) => &error.hint,
        _ => "",
    };
    let fault = Fault {
        kind: FaultKind::Engine,
        message: format!("could not write the log: {error}"),
        hint: hint.to_owned(),
    };
    let outcome = Outcome::Faulted {
        fault,
        matched: false,
    };
    ended(step, attempt, outcome)
}

/// Makes the message that an attempt is over.
pub(super) fn ended(step: u32, attempt: u32, outcome: Outcome) -> Input {
    Input::event(Event::Ended {
        step,
        attempt,
        outcome,
    })
}
