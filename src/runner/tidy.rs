//! Removes everything that a run made on the engine, after saving what was asked for.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use super::{
    dispatch::{Env, UnderWay},
    making::Made,
    outputs,
};
use crate::ports::{Containers, EngineError, Labels, Resource};

/// How long to wait for the last words of services that are being removed.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long after a process has died the engine may still be making what it asked for.
pub(super) const LATE: Duration = Duration::from_millis(300);

/// How long an engine may take to be restarted.
const AWAY: Duration = Duration::from_secs(30);

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
    env.networks.forgo();
    // What is just being made must be there before it can be found and removed.
    join_all(left.setup).await;
    join_all(left.foreseen.into_values()).await;
    outputs::save(env).await;
    let mut removals = left.removals;
    while removals.join_next().await.is_some() {}
    if !env.shared.volumes.is_empty() {
        let removed = remove_own(env).await;
        // An engine that could not be reached at all is said once, by what failed first.
        if let Err(error) = removed
            && (has_begun(env) || !is_out_of_reach(&error))
        {
            env.watcher.note(&format!(
                "could not remove everything: {error}; careen sweep will try again"
            ));
        }
    }
    let last_words = join_all(left.under_way.into_values().map(|it| it.task));
    let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
}

/// Removes what the run has made. An engine that went away in mid-run is being restarted: it is waited for.
async fn remove_own(env: &Arc<Env>) -> Result<usize, EngineError> {
    let own = env.job.lasting_labels(env.ports.store.store_id());
    let containers = env.ports.containers.as_ref();
    let removed = match env.is_resumed {
        true => remove_lost(containers, &own).await,
        false => remove_all(containers, &own).await,
    };
    match removed {
        Err(error) if has_begun(env) && is_away(&error) => {
            env.watcher
                .note("the engine is away: waiting for it, to remove what is left");
            remove_when_back(containers, &own).await
        }
        other => other,
    }
}

async fn remove_when_back(
    containers: &dyn Containers,
    labels: &Labels,
) -> Result<usize, EngineError> {
    let deadline = Instant::now() + AWAY;
    loop {
        tokio::time::sleep(LATE).await;
        match remove_lost(containers, labels).await {
            Err(error) if is_away(&error) && Instant::now() < deadline => {}
            other => return other,
        }
    }
}

/// Says whether a container was started, so that there was an engine.
fn has_begun(env: &Env) -> bool {
    !env.is_pristine.load(Ordering::Acquire)
}

fn is_out_of_reach(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Unreachable { .. }
            | EngineError::PermissionDenied { .. }
            | EngineError::Barred { .. }
    )
}

fn is_away(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Unreachable { .. } | EngineError::Broken(_)
    )
}

/// Removes what a dead process has left, and what the engine still makes because that process asked for it; returns
/// how many things there were.
pub async fn remove_lost(
    containers: &dyn Containers,
    labels: &Labels,
) -> Result<usize, EngineError> {
    let mut count = remove_all(containers, labels).await?;
    loop {
        tokio::time::sleep(LATE).await;
        let removed = remove_all(containers, labels).await?;
        if removed == 0 {
            return Ok(count);
        }
        count += removed;
    }
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
