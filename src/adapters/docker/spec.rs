//! A container to make, in the engine's words.

use std::collections::HashMap;

use bollard::{
    models::{
        ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig,
        Mount as EngineMount, MountType, MountVolumeOptions, NetworkingConfig, PortBinding,
        PortMap,
    },
    query_parameters::{CreateContainerOptions, CreateContainerOptionsBuilder},
};

use crate::ports::{ContainerSpec, Mount, MountSource, NetworkMode, PublishedPort};

/// The name and platform, which are not part of the body.
pub(super) fn options(container: &ContainerSpec) -> CreateContainerOptions {
    let options = CreateContainerOptionsBuilder::default().name(&container.name);
    match &container.platform {
        Some(platform) => options.platform(platform).build(),
        None => options.build(),
    }
}

/// The body of a request to make the container.
pub(super) fn body(container: &ContainerSpec) -> ContainerCreateBody {
    let published = container.published_ports.iter();
    let published = published.map(|port| port.container_port.clone());
    let exposed: Vec<String> = container
        .exposed_ports
        .iter()
        .cloned()
        .chain(published)
        .collect();
    ContainerCreateBody {
        image: Some(container.image.clone()),
        labels: Some(container.labels.clone().into_iter().collect()),
        cmd: some(&container.command),
        entrypoint: container.entry_point.clone(),
        env: some(&container.env),
        working_dir: container.working_directory.clone(),
        user: container.user.clone(),
        hostname: container.hostname.clone(),
        exposed_ports: some(&exposed),
        tty: Some(container.tty),
        // Nobody writes to it: an open input would never end, while a closed one is empty and ends.
        open_stdin: Some(false),
        stop_signal: container.stop_signal.clone(),
        host_config: Some(host_config(container)),
        networking_config: networking(&container.network),
        ..Default::default()
    }
}

fn host_config(container: &ContainerSpec) -> HostConfig {
    let limits = container.limits;
    HostConfig {
        network_mode: Some(network_mode(&container.network)),
        mounts: some(&mounts(&container.mounts)),
        tmpfs: tmpfs(&container.mounts),
        port_bindings: port_bindings(&container.published_ports),
        extra_hosts: some(&container.extra_hosts),
        memory: limits.memory_bytes.map(signed),
        nano_cpus: limits.nano_cpus.map(signed),
        pids_limit: limits.pids,
        shm_size: limits.shm_size_bytes.map(signed),
        privileged: Some(container.privileged),
        cap_drop: some(&container.cap_drop),
        readonly_rootfs: Some(container.read_only),
        init: Some(container.init),
        auto_remove: Some(false),
        // The daemon's default may keep nothing. It may also throw the beginning of a long log away, and its options
        // are merged into ours unless they are set: this size is never reached.
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_string()),
            config: Some(HashMap::from([(
                "max-size".to_string(),
                "1000t".to_string(),
            )])),
        }),
        ..Default::default()
    }
}

fn network_mode(network: &NetworkMode) -> String {
    match network {
        NetworkMode::None => "none".to_string(),
        NetworkMode::Bridge => "bridge".to_string(),
        NetworkMode::Host => "host".to_string(),
        NetworkMode::Named { name, .. } => name.clone(),
    }
}

fn networking(network: &NetworkMode) -> Option<NetworkingConfig> {
    let NetworkMode::Named { name, aliases } = network else {
        return None;
    };
    let endpoint = EndpointSettings {
        aliases: Some(aliases.clone()),
        ..Default::default()
    };
    Some(NetworkingConfig {
        endpoints_config: Some(HashMap::from([(name.clone(), endpoint)])),
    })
}

fn mounts(mounts: &[Mount]) -> Vec<EngineMount> {
    let of = |mount: &Mount, typ: MountType, source: Option<&String>| EngineMount {
        target: Some(mount.target.clone()),
        source: source.cloned(),
        typ: Some(typ),
        read_only: Some(mount.read_only),
        volume_options: mount.no_copy.then(|| MountVolumeOptions {
            no_copy: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let engine_mount = |mount: &Mount| match &mount.source {
        MountSource::Volume(name) => Some(of(mount, MountType::VOLUME, Some(name))),
        MountSource::Anonymous => Some(of(mount, MountType::VOLUME, None)),
        MountSource::Host(path) => Some(of(mount, MountType::BIND, Some(path))),
        MountSource::Tmpfs(_) => None,
    };
    mounts.iter().filter_map(engine_mount).collect()
}

fn tmpfs(mounts: &[Mount]) -> Option<HashMap<String, String>> {
    let option = |mount: &Mount| match &mount.source {
        MountSource::Tmpfs(options) => Some((mount.target.clone(), options.clone())),
        _ => None,
    };
    let found: HashMap<_, _> = mounts.iter().filter_map(option).collect();
    (!found.is_empty()).then_some(found)
}

fn port_bindings(published: &[PublishedPort]) -> Option<PortMap> {
    let mut bindings = PortMap::new();
    for port in published {
        let binding = PortBinding {
            host_ip: Some(port.host_address.clone()),
            host_port: Some(
                port.host_port
                    .map(|port| port.to_string())
                    .unwrap_or_default(),
            ),
        };
        let of_port = bindings.entry(port.container_port.clone()).or_default();
        of_port.get_or_insert_default().push(binding);
    }
    (!bindings.is_empty()).then_some(bindings)
}

fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ports::Limits;

    use super::*;

    fn spec() -> ContainerSpec {
        ContainerSpec {
            name: "careen-x".to_string(),
            image: "busybox".to_string(),
            labels: [("a".to_string(), "b".to_string())].into(),
            command: vec!["true".to_string()],
            entry_point: None,
            env: Vec::new(),
            working_directory: None,
            user: None,
            hostname: None,
            mounts: Vec::new(),
            network: NetworkMode::None,
            exposed_ports: Vec::new(),
            published_ports: Vec::new(),
            extra_hosts: Vec::new(),
            limits: Limits::default(),
            privileged: false,
            cap_drop: Vec::new(),
            read_only: false,
            init: false,
            tty: false,
            open_stdin: true,
            stop_signal: None,
            platform: None,
        }
    }

    #[test]
    fn what_was_not_asked_for_is_left_to_the_image() {
        let expected = json!({
            "Image": "busybox", "Cmd": ["true"], "Labels": {"a": "b"}, "ExposedPorts": {}, "Volumes": {},
            "Tty": false, "OpenStdin": false,
            "HostConfig": {
                "NetworkMode": "none", "Privileged": false, "ReadonlyRootfs": false, "Init": false,
                "AutoRemove": false, "LogConfig": {"Type": "json-file", "Config": {"max-size": "1000t"}}
            },
        });
        let mut body = serde_json::to_value(body(&spec())).expect("JSON");
        for empty in ["ExposedPorts", "Volumes"] {
            body[empty] = json!({});
        }
        assert_eq!(body, expected);
    }

    #[test]
    fn mounts_ports_and_networks_are_put_where_the_engine_looks() {
        let mount = |source, target: &str| Mount {
            source,
            target: target.to_string(),
            read_only: true,
            no_copy: target == "/v",
        };
        let body = body(&ContainerSpec {
            mounts: vec![
                mount(MountSource::Volume("v".to_string()), "/v"),
                mount(MountSource::Anonymous, "/a"),
                mount(MountSource::Host("/h".to_string()), "/b"),
                mount(MountSource::Tmpfs("size=1m".to_string()), "/t"),
            ],
            network: NetworkMode::Named {
                name: "n".to_string(),
                aliases: vec!["web".to_string()],
            },
            published_ports: vec![PublishedPort {
                host_address: "127.0.0.1".to_string(),
                host_port: None,
                container_port: "80/tcp".to_string(),
            }],
            ..spec()
        });
        let body = serde_json::to_value(body).expect("JSON");
        let host = &body["HostConfig"];
        assert_eq!(body["ExposedPorts"], json!({"80/tcp": {}}));
        assert_eq!(
            host["PortBindings"],
            json!({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]})
        );
        assert_eq!(host["Tmpfs"], json!({"/t": "size=1m"}));
        let mounts = json!([
            {"Target": "/v", "Source": "v", "Type": "volume", "ReadOnly": true, "VolumeOptions": {"NoCopy": true}},
            {"Target": "/a", "Type": "volume", "ReadOnly": true},
            {"Target": "/b", "Source": "/h", "Type": "bind", "ReadOnly": true},
        ]);
        assert_eq!(host["Mounts"], mounts);
        assert_eq!(host["NetworkMode"], "n");
        assert_eq!(
            body["NetworkingConfig"]["EndpointsConfig"]["n"]["Aliases"],
            json!(["web"])
        );
    }
}
