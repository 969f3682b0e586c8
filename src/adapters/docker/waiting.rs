//! Waiting for the end of a container, and telling an end from a stop of the engine.

use bollard::{
    errors::Error,
    models::ContainerState,
    query_parameters::{
        InspectContainerOptions, InspectNetworkOptions, WaitContainerOptionsBuilder,
    },
};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;

use crate::ports::{EngineError, Exit};

use super::{DockerEngine, errors::gone_is_fine, inspecting::exit_of};

/// Waits until a started container has ended. An end that the engine's own stop or restart brought about is
/// [`EngineError::Broken`], whatever the exit code: a stopping engine first refuses connections, then kills.
pub(super) async fn wait(engine: &DockerEngine, id: &str) -> Result<Exit, EngineError> {
    let code = wait_for(engine, id, "not-running").await?;
    let (container, engine_start) = tokio::join!(inspect(engine, id), engine_start(engine));
    let (container, engine_start) = (container.map_err(broken)?, engine_start.map_err(broken)?);
    let Some(container) = container else {
        // Removed by force while it ran: the code is all there is.
        return Ok(Exit {
            code,
            out_of_memory: false,
            at: None,
        });
    };
    if started_at(&container).is_some_and(|at| Some(at) < engine_start) {
        let reason = "the engine was restarted after the container's start";
        return Err(EngineError::Broken(reason.to_string()));
    }
    Ok(Exit {
        code,
        ..exit_of(&container)
    })
}

/// Waits until a container has ended, however it ended.
pub(super) async fn wait_until_ended(engine: &DockerEngine, id: &str) -> Result<(), EngineError> {
    wait_for(engine, id, "not-running").await.map(|_| ())
}

/// Waits until a container that is being removed is gone.
pub(super) async fn wait_until_removed(engine: &DockerEngine, id: &str) -> Result<(), EngineError> {
    gone_is_fine(wait_for(engine, id, "removed").await.map(|_| ()))
}

/// Says when the engine started: then it made its default bridge. `None` for an engine without one.
pub(super) async fn engine_start(
    engine: &DockerEngine,
) -> Result<Option<DateTime<Utc>>, EngineError> {
    let docker = engine.docker().await?;
    let bridge = docker
        .inspect_network("bridge", None::<InspectNetworkOptions>)
        .await;
    match bridge.map_err(|error| engine.error(error)) {
        Ok(bridge) => Ok(bridge.created),
        Err(EngineError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn wait_for(engine: &DockerEngine, id: &str, condition: &str) -> Result<i64, EngineError> {
    let docker = engine.patient().await?;
    let options = WaitContainerOptionsBuilder::default()
        .condition(condition)
        .build();
    let mut answers = docker.wait_container(id, Some(options));
    match answers.next().await {
        Some(Ok(answer)) => Ok(answer.status_code),
        Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
        Some(Err(error)) => Err(engine.error(error)),
        None => Err(EngineError::Broken("no exit code came".to_string())),
    }
}

/// Looks at a container; `None` when it is gone.
async fn inspect(engine: &DockerEngine, id: &str) -> Result<Option<ContainerState>, EngineError> {
    let docker = engine.docker().await?;
    let inspected = docker
        .inspect_container(id, None::<InspectContainerOptions>)
        .await;
    match inspected.map_err(|error| engine.error(error)) {
        Ok(container) => Ok(container.state),
        Err(EngineError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn started_at(container: &ContainerState) -> Option<DateTime<Utc>> {
    container.started_at.as_deref()?.parse().ok()
}

/// An engine that cannot be reached any more has stopped.
fn broken(error: EngineError) -> EngineError {
    match error {
        EngineError::Unreachable { reason, .. } => EngineError::Broken(reason),
        other => other,
    }
}
