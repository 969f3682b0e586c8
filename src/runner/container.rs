//! Turns a `cmd` step into the container to make.

use super::{
    Job,
    carrier::{HOME_PATH, WORKSPACE_PATH},
    setup::{HOME, Shared},
};
use crate::{
    ports::{ContainerSpec, Limits, Mount, MountSource, PublishedPort},
    spec::{Command, PortMapping, Protocol, Step, VolumeSource, command_line},
};

/// The engine's socket, on the host and in containers.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// Makes the container of one attempt. What `cmd` says by option wins over the step's properties, as a later docker
/// option wins over an earlier one.
pub(super) fn spec(
    job: &Job,
    shared: &Shared,
    store: &str,
    step: u32,
    attempt: u32,
    command: &Command,
) -> ContainerSpec {
    let it = job.plan.step(step);
    let entry_point = command.entry_point.as_ref().or(it.entry_point.as_ref());
    let mut labels = job.attempt_labels(store, step, attempt);
    for (name, value) in &command.labels {
        labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    ContainerSpec {
        name: job.attempt_name(store, step, attempt),
        image: command.image.clone(),
        labels,
        command: command.arguments.clone(),
        entry_point: entry_point.map(|word| vec![word.clone()]),
        env: environment(job, it, command),
        working_directory: command
            .working_directory
            .clone()
            .or_else(|| it.working_directory.clone()),
        user: command.user.clone().or_else(|| it.user.clone()),
        hostname: command.hostname.clone(),
        mounts: mounts(job, shared, it, command),
        network: shared.network(job, step),
        exposed_ports: exposed(it, command),
        published_ports: published(it, command),
        extra_hosts: command.extra_hosts.clone(),
        limits: limits(job, it, command),
        privileged: it.privileged || command.privileged,
        cap_drop: command.cap_drop.clone(),
        read_only: command.read_only,
        init: command.init,
        tty: command.tty,
        open_stdin: command.interactive,
        stop_signal: command.stop_signal.clone(),
        platform: command.platform.clone(),
    }
}

fn environment(job: &Job, step: &Step, command: &Command) -> Vec<String> {
    let mut env = vec![format!("HOME={HOME_PATH}")];
    if let Some(registry) = &job.registry {
        env.push(format!("ACR_DEFAULT_REGISTRY={registry}"));
    }
    env.extend(
        step.env
            .iter()
            .chain(&command.env)
            .map(|var| format!("{}={}", var.name, var.value)),
    );
    env
}

fn mounts(job: &Job, shared: &Shared, step: &Step, command: &Command) -> Vec<Mount> {
    let volume = |name: &str, target: &str, read_only: bool| Mount {
        no_copy: shared.filled.contains(name),
        source: shared
            .volumes
            .get(name)
            .map_or(MountSource::Anonymous, |full| {
                MountSource::Volume(full.clone())
            }),
        target: target.to_owned(),
        read_only,
    };
    let mut mounts = vec![
        volume(&job.shared_volume, WORKSPACE_PATH, false),
        volume(HOME, HOME_PATH, false),
    ];
    if job.has_docker_socket() {
        mounts.push(Mount {
            source: MountSource::Host(DOCKER_SOCKET.to_owned()),
            target: DOCKER_SOCKET.to_owned(),
            read_only: false,
            no_copy: false,
        });
    }
    mounts.extend(
        step.volume_mounts
            .iter()
            .map(|it| volume(&it.name, &it.mount_path, false)),
    );
    for it in &command.volumes {
        mounts.push(match &it.source {
            VolumeSource::Named(name) => volume(name, &it.target, it.read_only),
            VolumeSource::Anonymous => volume("", &it.target, it.read_only),
            VolumeSource::HostPath(path) => Mount {
                source: MountSource::Host(path.clone()),
                target: it.target.clone(),
                read_only: it.read_only,
                no_copy: false,
            },
        });
    }
    mounts.extend(command.tmpfs.iter().map(|(folder, options)| Mount {
        source: MountSource::Tmpfs(options.clone()),
        target: folder.clone(),
        read_only: false,
        no_copy: false,
    }));
    // A later option for the same folder wins, and the engine refuses the folder twice.
    let mut seen = std::collections::HashSet::new();
    mounts.reverse();
    mounts.retain(|mount| seen.insert(mount.target.clone()));
    mounts.reverse();
    mounts
}

fn exposed(step: &Step, command: &Command) -> Vec<String> {
    let mut ports: Vec<String> = step
        .expose
        .iter()
        .filter_map(|text| command_line::parse_expose(text).ok())
        .flatten()
        .chain(command.expose.iter().copied())
        .map(|(port, protocol)| port_text(port, protocol.unwrap_or(Protocol::Tcp)))
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

fn published(step: &Step, command: &Command) -> Vec<PublishedPort> {
    step.ports
        .iter()
        .filter_map(|text| command_line::parse_port(text).ok())
        .flatten()
        .chain(command.ports.iter().cloned())
        .map(|port: PortMapping| PublishedPort {
            container_port: port_text(port.container_port, port.protocol),
            host_address: port.host_address,
            host_port: port.host_port,
        })
        .collect()
}

fn port_text(port: u16, protocol: Protocol) -> String {
    let word = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    };
    format!("{port}/{word}")
}

fn limits(job: &Job, step: &Step, command: &Command) -> Limits {
    let step_cpus = step
        .cpus
        .as_deref()
        .and_then(|text| command_line::parse_cpus(text).ok());
    Limits {
        memory_bytes: command.memory_bytes.or(job.limits.memory_bytes),
        nano_cpus: command.nano_cpus.or(step_cpus).or(job.limits.nano_cpus),
        pids: command.pids_limit.or(job.limits.pids),
        shm_size_bytes: command.shm_size_bytes,
    }
}
