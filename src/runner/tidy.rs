//! Removes everything that a run made on the engine, after saving what was asked for.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::task::{JoinHandle, JoinSet};

use super::{
    OutputRequest,
    attempt::Made,
    carrier::WORKSPACE_PATH,
    dispatch::{Env, UnderWay},
};
use crate::ports::{Containers, EngineError, Labels, Resource};

/// How long to wait for the last words of services that are being removed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What may still be going on when a run is tidied.
pub(super) struct Left {
    /// The making of networks and volumes, if the run was stopped that early.
    pub setup: Option<JoinHandle<()>>,
    /// Services, and attempts that were just stopped.
    pub under_way: HashMap<(u32, u32), UnderWay>,
    /// Containers being made ahead.
    pub foreseen: HashMap<(u32, u32), JoinHandle<Option<Made>>>,
    /// Containers being removed.
    pub removals: JoinSet<()>,
}

/// Saves outputs and removes what is left; trouble is told, not raised, for the run's ending is decided.
pub(super) async fn tidy(env: &Arc<Env>, left: Left) {
    // What is just being made must be there before it can be found and removed.
    join_all(left.setup).await;
    join_all(left.foreseen.into_values()).await;
    for output in &env.job.outputs {
        if let Err(reason) = save(env, output).await {
            env.watcher
                .note(&format!("could not save {}: {reason}", output.source));
        }
    }
    let mut removals = left.removals;
    while removals.join_next().await.is_some() {}
    if !env.shared.volumes.is_empty() {
        let labels = env.job.labels(env.ports.store.store_id());
        let own = Labels::from_iter(
            labels
                .into_iter()
                .filter(|(name, _)| name != super::names::LABEL_TOKEN),
        );
        let removed = remove_all(env.ports.containers.as_ref(), &own).await;
        // An engine that cannot be reached is said once, by what failed first.
        if let Err(error) = removed
            && !matches!(
                error,
                EngineError::Unreachable { .. } | EngineError::PermissionDenied { .. }
            )
        {
            env.watcher.note(&format!(
                "could not remove everything: {error}; careen sweep will try again"
            ));
        }
    }
    let last_words = join_all(left.under_way.into_values().map(|it| it.task));
    let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
}

/// Removes all containers, then networks and volumes, that bear these labels; returns how many there were.
pub async fn remove_all(
    containers: &dyn Containers,
    labels: &Labels,
) -> Result<usize, EngineError> {
    let (found, networks, volumes) = futures_util::future::try_join3(
        containers.list(Resource::Container, labels),
        containers.list(Resource::Network, labels),
        containers.list(Resource::Volume, labels),
    )
    .await?;
    let count = found.len() + networks.len() + volumes.len();
    futures_util::future::try_join_all(found.iter().map(|it| containers.remove(&it.id))).await?;
    futures_util::future::try_join(
        futures_util::future::try_join_all(
            networks
                .iter()
                .map(|it| containers.remove_network(&it.name)),
        ),
        futures_util::future::try_join_all(
            volumes.iter().map(|it| containers.remove_volume(&it.name)),
        ),
    )
    .await?;
    Ok(count)
}

/// Copies a path of the workspace into its folders on this machine.
async fn save(env: &Arc<Env>, output: &OutputRequest) -> Result<(), String> {
    if env.shared.volumes.is_empty() {
        return Err("the run has no workspace: none of its steps is a cmd".to_owned());
    }
    let path = workspace_path(&output.source)?;
    for folder in &output.folders {
        let tar = env
            .carrier
            .download(&env.ports, &env.job, &env.shared, &path)
            .await
            .map_err(|error| error.to_string())?;
        env.ports
            .folders
            .unpack(tar, folder)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The absolute path of an output; nothing outside the workspace can be named.
fn workspace_path(source: &str) -> Result<String, String> {
    let whole = PathBuf::from(WORKSPACE_PATH).join(source);
    let climbs = whole
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    if climbs || !whole.starts_with(WORKSPACE_PATH) {
        return Err(format!("it is outside of {WORKSPACE_PATH}"));
    }
    Ok(whole.to_string_lossy().into_owned())
}
