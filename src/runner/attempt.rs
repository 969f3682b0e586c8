//! One attempt of a `cmd` step: its container from making to exit.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    Job,
    acting::ProgressOnly,
    container,
    dispatch::{Env, Input},
    explain, images, logging,
};
use crate::{
    engine::{Event, Fault, FaultKind, Outcome},
    logs::LogError,
    ports::{EngineError, Exit, ImageInfo, State},
    spec::{Command, StepKind},
};

/// How long a container may take to stop by itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How often a health check is looked at.
const HEALTH_INTERVAL: Duration = Duration::from_millis(200);

/// A container that was made, not started.
pub(super) struct Made {
    id: String,
    image: Option<ImageInfo>,
}

/// Says whether a step's container may be made before its turn: not when something in the run may move its image.
pub(super) fn may_be_made_ahead(job: &Job, step: u32) -> bool {
    let StepKind::Cmd(command) = &job.plan.step(step).kind else {
        return false;
    };
    let moves = |other: &crate::spec::Step| match &other.kind {
        StepKind::Build(build) => build.tags.iter().any(|tag| is_same(tag, &command.image)),
        StepKind::Cmd(it) => other.pull && is_same(&it.image, &command.image),
        StepKind::Push(_) => false,
    };
    !job.has_docker_socket() && !job.plan.steps().iter().any(moves)
}

fn is_same(a: &str, b: &str) -> bool {
    use crate::spec::reference::Reference;
    match (Reference::parse(a), Reference::parse(b)) {
        (Ok(a), Ok(b)) => a.with_default_tag() == b.with_default_tag(),
        _ => a == b,
    }
}

/// Makes a container ahead; nothing is lost when that fails, for the attempt itself will make one and say why.
pub(super) async fn make_ahead(env: &Arc<Env>, step: u32, attempt: u32) -> Option<Made> {
    let command = command(env, step)?;
    let image = env.ports.images.image(&command.image).await.ok()??;
    let id = create(env, step, attempt, command).await.ok()?;
    Some(Made {
        id,
        image: Some(image),
    })
}

fn command(env: &Env, step: u32) -> Option<&Command> {
    match &env.job.plan.step(step).kind {
        StepKind::Cmd(command) => Some(command),
        StepKind::Build(_) | StepKind::Push(_) => None,
    }
}

/// Runs an attempt and reports `Started` and `Ended`, or `Stopped`.
pub(super) async fn run(
    env: Arc<Env>,
    step: u32,
    attempt: u32,
    ahead: Option<JoinHandle<Option<Made>>>,
    stop: CancellationToken,
) {
    let made = tokio::select! {
        made = make(&env, step, attempt, ahead) => made,
        () = stop.cancelled() => {
            return env.inbox.send(Input::event(Event::Stopped { step, attempt }));
        }
    };
    let event = match made {
        Ok(made) => start(&env, step, attempt, made, stop).await,
        Err(error) => ended(
            &env,
            step,
            attempt,
            explain::refused(&env.job, step, &error),
        ),
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

/// Takes the container that was made ahead if its image still is the one, else makes it now.
async fn make(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    ahead: Option<JoinHandle<Option<Made>>>,
) -> Result<Made, EngineError> {
    let Some(command) = command(env, step) else {
        return Err(EngineError::Other("the step has no command".to_owned()));
    };
    let ahead = match ahead {
        Some(task) => task.await.ok().flatten(),
        None => None,
    };
    let image = env.ports.images.image(&command.image).await?;
    if let Some(made) = ahead {
        if made.image == image {
            return Ok(made);
        }
        env.ports.containers.remove(&made.id).await?;
    }
    let image = match image {
        Some(image) if !command.pull => image,
        _ => {
            let sink = ProgressOnly {
                env: env.clone(),
                step,
            };
            let platform = command.platform.as_deref();
            images::pull(&env.ports, &env.job, &command.image, platform, &sink).await?
        }
    };
    let id = create(env, step, attempt, command).await?;
    Ok(Made {
        id,
        image: Some(image),
    })
}

/// Makes the container; a name that is taken belongs to an attempt of ours that was cut off before it started.
async fn create(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    command: &Command,
) -> Result<String, EngineError> {
    let store = env.ports.store.store_id();
    let spec = container::spec(&env.job, &env.shared, store, step, attempt, command);
    match env.ports.containers.create(&spec).await {
        Err(EngineError::NameConflict(name)) => {
            let found = env.ports.containers.inspect(&spec.name).await?;
            let is_ours = found.is_some_and(|it| {
                it.state == State::Created
                    && it.labels.get(super::LABEL_STORE) == spec.labels.get(super::LABEL_STORE)
            });
            if !is_ours {
                return Err(EngineError::NameConflict(name));
            }
            env.ports.containers.remove(&spec.name).await?;
            env.ports.containers.create(&spec).await
        }
        made => made,
    }
}

async fn start(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    made: Made,
    stop: CancellationToken,
) -> Input {
    if stop.is_cancelled() {
        return Input::event(Event::Stopped { step, attempt });
    }
    env.is_pristine.store(false, Ordering::Release);
    if let Err(error) = env.ports.containers.start(&made.id).await {
        return ended(env, step, attempt, explain::refused(&env.job, step, &error));
    }
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
        Err(error) => return unlogged(env, step, attempt, &error),
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
        Ok(Err(error)) => return unlogged(env, step, attempt, &error),
        Err(_) => false,
    };
    if was_stopped {
        return Input::event(Event::Stopped { step, attempt });
    }
    let outcome = match exit {
        Ok(exit) => judge(env, exit, matched).await,
        Err(error) => explain::faulted(&env.job, step, lost(&error)),
    };
    ended(env, step, attempt, outcome)
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
pub(super) fn unlogged(env: &Arc<Env>, step: u32, attempt: u32, error: &LogError) -> Input {
    let fault = Fault {
        kind: FaultKind::Engine,
        message: format!("could not write the log: {error}"),
        hint: String::new(),
    };
    let outcome = Outcome::Faulted {
        fault,
        matched: false,
    };
    ended(env, step, attempt, outcome)
}

/// Makes the message that an attempt is over; secrets in engine messages are hidden.
pub(super) fn ended(env: &Arc<Env>, step: u32, attempt: u32, mut outcome: Outcome) -> Input {
    let hide = |text: &mut String| *text = env.masker.mask_text(text);
    match &mut outcome {
        Outcome::Exited { cause, .. } => cause.iter_mut().for_each(hide),
        Outcome::Faulted { fault, .. } => hide(&mut fault.message),
    }
    Input::event(Event::Ended {
        step,
        attempt,
        outcome,
    })
}

/// Looks at a detached container's health until it is healthy, or not, or gone.
pub(super) async fn watch_health(env: Arc<Env>, step: u32, attempt: u32) {
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
                    return env.inbox.send(ended(&env, step, attempt, outcome));
                }
                // The attempt itself reports the exit.
                State::Exited(_) => return,
            },
            Ok(None) | Err(_) => return,
        }
    }
}
