//! What a plan asks for that opens the host or leaves the run, and was not allowed.

use std::collections::BTreeSet;

use crate::{
    plan::Plan,
    spec::{Command, Grant, Network, Step, StepKind, reference::Reference},
};

/// A step asks for something that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The step's id.
    pub step: String,
    /// What it asks for.
    pub grant: Grant,
}

impl std::fmt::Display for Denied {
    /// Says what to add to the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "step {} needs {}, which is not allowed: add --allow {}",
            self.step,
            describe(&self.grant),
            self.grant
        )
    }
}

fn describe(grant: &Grant) -> String {
    match grant {
        Grant::Privileged => "a privileged container".to_owned(),
        Grant::DockerSocket => "the Docker socket".to_owned(),
        Grant::HostNetwork => "the host's network".to_owned(),
        Grant::ExternalNetwork(name) => format!("the network {name}, which is not this run's own"),
        Grant::HostPath(dir) => format!("the host folder {dir}"),
        Grant::PrivateAddress => "a host with a private address".to_owned(),
        Grant::LocalRepository => "a repository of this machine".to_owned(),
    }
}

/// Lists what the plan needs and nobody allowed, in file order.
pub fn denied(plan: &Plan, granted: &BTreeSet<Grant>) -> Vec<Denied> {
    plan.steps()
        .iter()
        .flat_map(|step| {
            needs(plan, step)
                .into_iter()
                .filter(|grant| !is_granted(grant, granted))
                .map(|grant| Denied {
                    step: step.id.clone(),
                    grant,
                })
        })
        .collect()
}

/// A host path is allowed with everything below it; everything else only by name.
fn is_granted(grant: &Grant, granted: &BTreeSet<Grant>) -> bool {
    granted.contains(grant)
        || matches!(grant, Grant::HostPath(path) if granted.iter().any(|g| {
            matches!(g, Grant::HostPath(allowed) if is_below(path, allowed))
        }))
}

fn is_below(path: &str, allowed: &str) -> bool {
    let path = std::path::Path::new(path);
    let climbs = path
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    !climbs && path.starts_with(allowed)
}

fn needs(plan: &Plan, step: &Step) -> BTreeSet<Grant> {
    let command = match &step.kind {
        StepKind::Cmd(command) => command,
        StepKind::Build(build) => return build.grants.iter().cloned().collect(),
        StepKind::Push(_) => return BTreeSet::new(),
    };
    let mut needs: BTreeSet<Grant> = command.grants.iter().cloned().collect();
    if step.privileged || command.privileged {
        needs.insert(Grant::Privileged);
    }
    if is_docker_client(command) {
        needs.insert(Grant::DockerSocket);
    }
    needs.extend(network_grant(plan, step, command));
    needs
}

/// The docker client as an image can do nothing without the socket, so a run of it is refused before it starts.
fn is_docker_client(command: &Command) -> bool {
    Reference::parse(&command.image).is_ok_and(|image| {
        let name = image.path.rsplit('/').next().unwrap_or_default();
        matches!(name, "docker" | "moby-cli" | "buildx")
    })
}

fn network_grant(plan: &Plan, step: &Step, command: &Command) -> Option<Grant> {
    if let Some(name) = command.network.as_ref().or(step.network.as_ref()) {
        return named(plan, name);
    }
    let default = plan.networks().iter().rev().find(|n| n.is_default);
    default.and_then(declared_grant)
}

/// What it takes to join the network with this name.
fn named(plan: &Plan, name: &str) -> Option<Grant> {
    if let Some(own) = plan.networks().iter().find(|n| n.name == name) {
        return declared_grant(own);
    }
    match name {
        "host" => Some(Grant::HostNetwork),
        "none" | "bridge" | "default" | super::setup::DEFAULT_NETWORK => None,
        other => Some(Grant::ExternalNetwork(other.to_owned())),
    }
}

fn declared_grant(network: &Network) -> Option<Grant> {
    match network.driver.as_deref() {
        Some("host") => Some(Grant::HostNetwork),
        Some("bridge" | "") | None if !network.skip_creation => None,
        Some(_) | None => Some(Grant::ExternalNetwork(network.name.clone())),
    }
}
