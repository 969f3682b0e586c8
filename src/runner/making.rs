//! Makes the container of a `cmd` step, ahead of its turn or when it has come.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Job, acting::ProgressOnly, carrier::WORKSPACE_PATH, container, dispatch::Env, images};
use crate::{
    ports::{ContainerSpec, ContainerState, EngineError, ImageInfo, State},
    spec::{Command, StepKind},
};

/// How long the engine may take to finish what a process asked of it that has died since.
const LATE: Duration = Duration::from_secs(15);
/// How long to wait before looking whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A container that was made, not started.
pub(super) struct Made {
    pub id: String,
    pub image: Option<ImageInfo>,
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
    folder_may_be_made(env, step, command).await.ok()?;
    let id = create(env, step, attempt, command).await.ok()?;
    Some(Made {
        id,
        image: Some(image),
    })
}

/// Making a container makes its working directory, which the files may be about to bring. Networks are only needed when
/// it starts.
async fn folder_may_be_made(env: &Env, step: u32, command: &Command) -> Result<(), EngineError> {
    match working_directory(env, step, command) {
        Some(WORKSPACE_PATH) => Ok(()),
        _ => env.files.passed().await,
    }
}

fn working_directory<'a>(env: &'a Env, step: u32, command: &'a Command) -> Option<&'a str> {
    let of_step = env.job.plan.step(step).working_directory.as_deref();
    command.working_directory.as_deref().or(of_step)
}

/// The command of a `cmd` step.
pub(super) fn command(env: &Env, step: u32) -> Option<&Command> {
    match &env.job.plan.step(step).kind {
        StepKind::Cmd(command) => Some(command),
        StepKind::Build(_) | StepKind::Push(_) => None,
    }
}

/// Takes the container that was made ahead if its image still is the one, else makes it now; `None` when stopped
/// meanwhile. Only a pull is broken off: a container that the engine is making would appear after all was removed.
pub(super) async fn make(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    ahead: Option<JoinHandle<Option<Made>>>,
    stop: &CancellationToken,
) -> Result<Option<Made>, EngineError> {
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
            return Ok(Some(made));
        }
        env.ports.containers.remove(&made.id).await?;
    }
    let image = match image {
        Some(image) if !command.pull => image,
        _ => tokio::select! {
            pulled = pull(env, step, command) => pulled?,
            () = stop.cancelled() => return Ok(None),
        },
    };
    tokio::select! {
        ready = folder_may_be_made(env, step, command) => ready?,
        () = stop.cancelled() => return Ok(None),
    }
    let id = create(env, step, attempt, command).await?;
    Ok(Some(Made {
        id,
        image: Some(image),
    }))
}

async fn pull(env: &Arc<Env>, step: u32, command: &Command) -> Result<ImageInfo, EngineError> {
    let sink = ProgressOnly {
        env: env.clone(),
        step,
    };
    let platform = command.platform.as_deref();
    images::pull(&env.ports, &env.job, &command.image, platform, &sink).await
}

/// Makes the container; a name that is taken belongs to an attempt of ours that was cut off before it started.
async fn create(
    env: &Arc<Env>,
    step: u32,
    attempt: u32,
    command: &Command,
) -> Result<String, EngineError> {
    let store = env.ports.store.store_id();
    let containers = &env.ports.containers;
    let spec = container::spec(&env.job, &env.shared, store, step, attempt, command);
    let deadline = Instant::now() + LATE;
    loop {
        let mut first = containers.create(&spec).await;
        // Two containers made at once may both make their working directory in the shared volume; one loses.
        if matches!(&first, Err(EngineError::Other(text)) if text.contains("file exists")) {
            first = containers.create(&spec).await;
        }
        let name = match first {
            Err(EngineError::NameConflict(name)) => name,
            made => return made,
        };
        match containers.inspect(&spec.name).await? {
            Some(found) if is_cut_off(&found, &spec) => containers.remove(&spec.name).await?,
            // The engine still makes it, for a process that is dead: the name is taken before it can be seen.
            None if Instant::now() < deadline => tokio::time::sleep(LOOK_AGAIN).await,
            Some(_) | None => return Err(EngineError::NameConflict(name)),
        }
    }
}

fn is_cut_off(found: &ContainerState, wanted: &ContainerSpec) -> bool {
    found.state == State::Created
        && found.labels.get(super::LABEL_STORE) == wanted.labels.get(super::LABEL_STORE)
}
