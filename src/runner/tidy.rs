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
/// How many times as long as for a list the engine may take to make what it was asked for.
const AS_LOOKS: u32 = 20;
/// How long something may go on using what is to be removed.
const IN_USE: Duration = Duration::from_secs(15);

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
    let mut pass = remove_patiently(containers, labels).await?;
    let mut count = pass.removed;
    loop {
        // An engine that answers slowly makes things slowly.
        tokio::time::sleep(LATE.max(pass.looked * AS_LOOKS)).await;
        pass = remove_patiently(containers, labels).await?;
        if pass.removed == 0 {
            return Ok(count);
        }
        count += pass.removed;
    }
}

/// Removes all containers, then networks and volumes, that bear these labels; returns how many there were.
pub async fn remove_all(
    containers: &dyn Containers,
    labels: &Labels,
) -> Result<usize, EngineError> {
    Ok(remove_patiently(containers, labels).await?.removed)
}

/// What one look at the engine has come to.
struct Pass {
    removed: usize,
    /// How long the engine took to say what there is.
    looked: Duration,
}

/// Looks again for what uses a volume or network: the engine names a container only when it has made all of it.
async fn remove_patiently(
    containers: &dyn Containers,
    labels: &Labels,
) -> Result<Pass, EngineError> {
    let deadline = Instant::now() + IN_USE;
    let mut before = 0;
    loop {
        let (mut pass, fault) = remove_once(containers, labels).await?;
        pass.removed += before;
        match fault {
            None => return Ok(pass),
            Some(EngineError::InUse(_)) if Instant::now() < deadline => before = pass.removed,
            Some(error) => return Err(error),
        }
        tokio::time::sleep(LATE).await;
    }
}

/// Removes what there is; what cannot be removed keeps nothing else from going, and the first such error is told.
async fn remove_once(
    containers: &dyn Containers,
    labels: &Labels,
) -> Result<(Pass, Option<EngineError>), EngineError> {
    let start = Instant::now();
    let (found, networks, volumes) = futures_util::future::try_join3(
        containers.list(Resource::Container, labels),
        containers.list(Resource::Network, labels),
        containers.list(Resource::Volume, labels),
    )
    .await?;
    let looked = start.elapsed();
    let mut results = join_all(found.iter().map(|it| containers.remove(&it.id))).await;
    let (of_networks, of_volumes) = futures_util::future::join(
        join_all(
            networks
                .iter()
                .map(|it| containers.remove_network(&it.name)),
        ),
        join_all(volumes.iter().map(|it| containers.remove_volume(&it.name))),
    )
    .await;
    results.extend(of_networks);
    results.extend(of_volumes);
    let removed = results.iter().filter(|it| it.is_ok()).count();
    let fault = results.into_iter().find_map(Result::err);
    Ok((Pass { removed, looked }, fault))
}
