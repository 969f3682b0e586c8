//! A run's containers made with nothing but the calls of the engine that they need: no client, no record, no logs.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bollard::{
    Docker,
    models::{
        ContainerCreateBody, EndpointSettings, HostConfig, Mount, MountType, NetworkCreateRequest,
        NetworkingConfig, VolumeCreateRequest,
    },
    query_parameters::{
        CreateContainerOptions, RemoveContainerOptions, RemoveVolumeOptions, StartContainerOptions,
        WaitContainerOptions,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Runtime;

/// What the two volumes are for, in a run of careen.
const MOUNTED_AT: [&str; 2] = ["/workspace", "/acb/home"];
const NAME: &str = "careen-bare";

/// The engine, and how many containers may run at once.
pub struct Bare {
    docker: Docker,
    runtime: Runtime,
    at_once: usize,
}

impl Bare {
    /// Connects to the engine of the environment; as many containers run at once as careen allows by default.
    pub fn connect() -> Bare {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Bare {
            docker: Docker::connect_with_defaults().expect("a Docker Engine"),
            runtime: Runtime::new().expect("a runtime"),
            at_once: 4 * cores,
        }
    }

    /// Runs the containers of each stage beside each other, one stage after another, and tells how long it took.
    /// Only where some run beside others is there a network, as in careen.
    pub fn run(&self, stages: &[Stage]) -> Duration {
        let start = Instant::now();
        let done = self.runtime.block_on(self.run_all(stages));
        done.expect("the engine does as asked");
        start.elapsed()
    }

    async fn run_all(&self, stages: &[Stage]) -> Result<(), bollard::errors::Error> {
        let has_network = stages.iter().any(|it| it.containers > 1);
        if has_network {
            let request = NetworkCreateRequest {
                name: NAME.to_owned(),
                ..Default::default()
            };
            self.docker.create_network(request).await?;
        }
        for place in MOUNTED_AT {
            let request = VolumeCreateRequest {
                name: Some(volume(place)),
                ..Default::default()
            };
            self.docker.create_volume(request).await?;
        }
        for (number, stage) in stages.iter().enumerate() {
            let containers = (0..stage.containers).map(|it| format!("{NAME}-{number}-{it}"));
            stream::iter(containers.map(|name| self.container(name, stage)))
                .buffer_unordered(self.at_once)
                .try_collect::<()>()
                .await?;
        }
        if has_network {
            self.docker.remove_network(NAME).await?;
        }
        for place in MOUNTED_AT {
            let options = None::<RemoveVolumeOptions>;
            self.docker.remove_volume(&volume(place), options).await?;
        }
        Ok(())
    }

    async fn container(&self, name: String, stage: &Stage) -> Result<(), bollard::errors::Error> {
        let options = CreateContainerOptions {
            name: Some(name.clone()),
            ..Default::default()
        };
        let docker = &self.docker;
        docker
            .create_container(Some(options), body(&name, stage))
            .await?;
        docker
            .start_container(&name, None::<StartContainerOptions>)
            .await?;
        let mut end = docker.wait_container(&name, None::<WaitContainerOptions>);
        end.next().await.transpose()?;
        docker
            .remove_container(&name, None::<RemoveContainerOptions>)
            .await
    }
}

/// Containers that run beside each other, each with the same command.
pub struct Stage {
    pub containers: usize,
    pub command: &'static [&'static str],
}

fn volume(mounted_at: &str) -> String {
    format!("{NAME}{}", mounted_at.replace('/', "-"))
}

fn body(name: &str, stage: &Stage) -> ContainerCreateBody {
    let mounts = MOUNTED_AT.map(|place| Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume(place)),
        target: Some(place.to_owned()),
        ..Default::default()
    });
    let alone = stage.containers == 1;
    let end = EndpointSettings {
        aliases: Some(vec![format!("{name}-alias")]),
        ..Default::default()
    };
    let networking = NetworkingConfig {
        endpoints_config: Some(HashMap::from([(NAME.to_owned(), end)])),
    };
    ContainerCreateBody {
        image: Some("busybox".to_owned()),
        cmd: Some(stage.command.iter().map(|it| (*it).to_owned()).collect()),
        host_config: Some(HostConfig {
            mounts: Some(mounts.to_vec()),
            network_mode: (!alone).then(|| NAME.to_owned()),
            ..Default::default()
        }),
        networking_config: (!alone).then_some(networking),
        ..Default::default()
    }
}
