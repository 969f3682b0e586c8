//! Makes what a run's containers share: network, volumes, files.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::try_join_all;

use super::{
    Job, Ports, carrier,
    dispatch::Env,
    tidy::{LATE, remove_lost},
};
use crate::{
    ports::{EngineError, NetworkMode, NetworkSpec, VolumeSpec},
    spec::{StepKind, VolumeSource},
};

/// The network that steps join when the file declares none; its name is ACR's.
pub(super) const DEFAULT_NETWORK: &str = "acb_default_network";
/// The volume that is every step's home, as steps may name it.
pub(super) const HOME: &str = "home";

/// Names of what was made, as containers need them.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    /// Networks by their name in the file.
    pub networks: BTreeMap<String, String>,
    /// Volumes by their name in the file; the shared one and `home` too.
    pub volumes: BTreeMap<String, String>,
    /// Volumes that get files of ours before a container starts.
    pub filled: BTreeSet<String>,
    /// For each step, whether another container may run beside it.
    pub peers: Vec<bool>,
}

impl Shared {
    /// Names everything that the plan will need; makes nothing.
    pub fn of(job: &Job, store: &str) -> Self {
        let mut peers = job.plan.may_have_peers();
        if builds_join(job, DEFAULT_NETWORK) {
            peers.fill(true);
        }
        let mut shared = Shared {
            peers,
            filled: carrier::filled(job),
            ..Shared::default()
        };
        let has_containers = job
            .plan
            .steps()
            .iter()
            .any(|step| matches!(step.kind, StepKind::Cmd(_)));
        if !has_containers {
            return shared;
        }
        for name in networks(job, &shared.peers) {
            let full = job.own_name(store, &name);
            shared.networks.insert(name, full);
        }
        for name in volumes(job) {
            let full = job.own_name(store, &name);
            shared.volumes.insert(name, full);
        }
        shared
    }

    /// The steps that need networks of the run: containers in them, and builds whose instructions may meet those.
    pub fn on_networks(&self, job: &Job) -> HashSet<u32> {
        let needs = |step: &u32| match &job.plan.step(*step).kind {
            StepKind::Cmd(_) => self.joins_own_network(job, *step),
            StepKind::Build(build) => build.network.is_some(),
            StepKind::Push(_) => false,
        };
        let steps = 0..job.plan.steps().len() as u32;
        steps.filter(needs).collect()
    }

    /// Says whether a step's container joins a network of the run.
    pub fn joins_own_network(&self, job: &Job, step: u32) -> bool {
        let NetworkMode::Named { name, .. } = self.network(job, step) else {
            return false;
        };
        self.networks.values().any(|own| *own == name)
    }

    /// The network of a step's container.
    pub fn network(&self, job: &Job, step: u32) -> NetworkMode {
        let it = job.plan.step(step);
        let StepKind::Cmd(command) = &it.kind else {
            return NetworkMode::None;
        };
        let declared = job.plan.networks().iter().rev().find(|n| n.is_default);
        let wanted = command
            .network
            .as_deref()
            .or(it.network.as_deref())
            .or(declared.map(|n| n.name.as_str()));
        let mut aliases = vec![it.id.clone()];
        aliases.extend(command.network_aliases.iter().cloned());
        match wanted {
            Some(name) if self.networks.contains_key(name) => NetworkMode::Named {
                name: self.networks[name].clone(),
                aliases,
            },
            Some("none") => NetworkMode::None,
            Some("host") => NetworkMode::Host,
            // Nobody can be met there: the engine's own bridge is enough, and faster to join.
            Some("bridge" | "default" | DEFAULT_NETWORK) => NetworkMode::Bridge,
            Some(other) => NetworkMode::Named {
                name: other.to_owned(),
                aliases,
            },
            None => match self.networks.get(DEFAULT_NETWORK) {
                Some(name) if self.peers[step as usize] => NetworkMode::Named {
                    name: name.clone(),
                    aliases,
                },
                _ => NetworkMode::Bridge,
            },
        }
    }
}

/// Says whether the RUN instructions of a build are to meet the containers of this network.
fn builds_join(job: &Job, name: &str) -> bool {
    job.plan.steps().iter().any(|step| match &step.kind {
        StepKind::Build(build) => build.network.as_deref() == Some(name),
        StepKind::Cmd(_) | StepKind::Push(_) => false,
    })
}

/// The networks to make: those of the file, or the default one where two containers may meet.
fn networks(job: &Job, peers: &[bool]) -> Vec<String> {
    if job.plan.has_networks() {
        return job
            .plan
            .networks()
            .iter()
            .filter(|network| !network.skip_creation && network.driver.as_deref() != Some("host"))
            .map(|network| network.name.clone())
            .collect();
    }
    let asked = job.plan.steps().iter().any(|step| {
        let StepKind::Cmd(command) = &step.kind else {
            return false;
        };
        let name = command.network.as_ref().or(step.network.as_ref());
        name.is_some_and(|name| name == DEFAULT_NETWORK)
    });
    let meets = (0..).zip(job.plan.steps()).any(|(position, step)| {
        let position: usize = position;
        matches!(step.kind, StepKind::Cmd(_)) && peers[position]
    });
    if asked || meets {
        vec![DEFAULT_NETWORK.to_owned()]
    } else {
        Vec::new()
    }
}

fn volumes(job: &Job) -> Vec<String> {
    let mut names = vec![job.shared_volume.clone(), HOME.to_owned()];
    names.extend(job.plan.volumes().iter().map(|volume| volume.name.clone()));
    for step in job.plan.steps() {
        if let StepKind::Cmd(command) = &step.kind {
            names.extend(command.volumes.iter().filter_map(|it| match &it.source {
                VolumeSource::Named(name) => Some(name.clone()),
                VolumeSource::Anonymous | VolumeSource::HostPath(_) => None,
            }));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Makes the volumes; containers can be made once they are there. After an earlier process has died here it starts
/// afresh.
pub(super) async fn make_volumes(
    ports: &Ports,
    job: &Job,
    shared: &Shared,
) -> Result<(), EngineError> {
    let store = ports.store.store_id();
    if job.lease.token > 1 {
        remove_lost(ports.containers.as_ref(), &job.lasting_labels(store)).await?;
    }
    try_join_all(shared.volumes.values().map(|full| {
        let spec = VolumeSpec {
            name: full.clone(),
            labels: job.labels(store),
        };
        async move { ports.containers.create_volume(&spec).await }
    }))
    .await?;
    Ok(())
}

/// Makes what containers need to start, and opens the gates before which they wait for it.
pub(super) async fn equip(env: &Env) {
    let files = async { env.files.open(fill(env).await) };
    let networks = async {
        let made = match env.networks.are_wanted().await {
            true => make_networks(env).await,
            false => Err(EngineError::Broken("nobody needed it".to_owned())),
        };
        env.networks.open(made);
    };
    tokio::join!(files, networks);
}

/// Does what an earlier process may have left undone: files are there if a container has ever started; networks go
/// early, and may be needed again.
pub(super) async fn equip_again(env: &Env, has_started: bool) {
    let files = async {
        let filled = if has_started { Ok(()) } else { fill(env).await };
        env.files.open(filled);
    };
    let networks = async {
        env.networks.want();
        env.networks.open(make_missing_networks(env).await);
    };
    tokio::join!(files, networks);
}

async fn fill(env: &Env) -> Result<(), EngineError> {
    env.carrier.fill(&env.ports, &env.job, &env.shared).await
}

async fn make_networks(env: &Env) -> Result<(), EngineError> {
    let made = env
        .shared
        .networks
        .keys()
        .map(|name| make_network(env, name));
    try_join_all(made).await.map(|_| ())
}

async fn make_network(env: &Env, name: &str) -> Result<(), EngineError> {
    let declared = env.job.plan.networks().iter().find(|it| it.name == name);
    let spec = NetworkSpec {
        name: env.shared.networks[name].clone(),
        labels: env.job.labels(env.ports.store.store_id()),
        driver: declared.and_then(|network| network.driver.clone()),
        ipv6: declared.is_some_and(|network| network.ipv6),
    };
    env.ports.containers.create_network(&spec).await.map(|_| ())
}

/// Removes the networks, which nothing needs any more; the tidying does what fails here.
pub(super) async fn remove_networks(env: &Env) {
    if !env.networks.forgo() {
        return;
    }
    let _ = env.networks.passed().await;
    for name in env.shared.networks.values() {
        if let Err(error) = env.ports.containers.remove_network(name).await {
            tracing::warn!(%error, name, "could not remove a network; the tidying will");
        }
    }
}

async fn make_missing_networks(env: &Env) -> Result<(), EngineError> {
    if env.shared.networks.is_empty() {
        return Ok(());
    }
    // The engine may still make what a dead process asked for.
    tokio::time::sleep(LATE).await;
    let made = env.shared.networks.keys().map(|name| async {
        match make_network(env, name).await {
            Err(EngineError::NameConflict(_)) => Ok(()),
            made => made,
        }
    });
    try_join_all(made).await.map(|_| ())
}
