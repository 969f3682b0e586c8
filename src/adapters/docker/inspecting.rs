//! What the engine shows of a container.

use bollard::{
    models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum},
    query_parameters::InspectContainerOptions,
};
use chrono::{DateTime, Utc};

use crate::ports::{ContainerState, EngineError, Exit, State};

use super::DockerEngine;

/// Looks at a container; `None` when there is none of that name or id.
pub(super) async fn inspect(
    engine: &DockerEngine,
    id: &str,
) -> Result<Option<ContainerState>, EngineError> {
    let docker = engine.docker().await?;
    let inspected = docker
        .inspect_container(id, None::<InspectContainerOptions>)
        .await;
    match inspected.map_err(|error| engine.error(error)) {
        Ok(container) => Ok(Some(state_of(container))),
        Err(EngineError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn state_of(container: ContainerInspectResponse) -> ContainerState {
    let labels = container.config.and_then(|config| config.labels);
    let state = container.state.unwrap_or_default();
    ContainerState {
        id: container.id.unwrap_or_default(),
        name: bare(container.name),
        labels: labels.unwrap_or_default().into_iter().collect(),
        image_id: container.image.unwrap_or_default(),
        state: life(&state),
    }
}

fn life(state: &bollard::models::ContainerState) -> State {
    use ContainerStateStatusEnum::{CREATED, PAUSED, RESTARTING, RUNNING};
    match state.status {
        Some(CREATED) => State::Created,
        Some(RUNNING | PAUSED | RESTARTING) => State::Running {
            healthy: match state.health.as_ref().and_then(|health| health.status) {
                Some(HealthStatusEnum::HEALTHY) => Some(true),
                Some(HealthStatusEnum::UNHEALTHY) => Some(false),
                _ => None,
            },
        },
        _ => State::Exited(exit_of(state)),
    }
}

/// How an ended container ended.
pub(super) fn exit_of(state: &bollard::models::ContainerState) -> Exit {
    let at = state.finished_at.as_deref().unwrap_or_default();
    Exit {
        code: state.exit_code.unwrap_or(-1),
        out_of_memory: state.oom_killed.unwrap_or(false),
        at: at
            .parse::<DateTime<Utc>>()
            .ok()
            .filter(|at| at.timestamp() > 0),
    }
}

/// The name without the slash that the engine puts before it.
pub(super) fn bare(name: Option<String>) -> String {
    name.unwrap_or_default().trim_start_matches('/').to_string()
}
