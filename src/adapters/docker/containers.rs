//! The life of a container on the engine.

use std::time::Duration;

use async_trait::async_trait;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};

use crate::ports::{
    ContainerSpec, ContainerState, Containers, EngineError, EngineInfo, Exit, Found, Labels,
    NetworkSpec, OutputStream, Resource, Since, TarStream, VolumeSpec,
};

use super::{
    DockerEngine, archive,
    errors::gone_is_fine,
    inspecting::{self, bare},
    labels::label_filter,
    networks, output, spec, starting, volumes, waiting,
};

#[async_trait]
impl Containers for DockerEngine {
    async fn info(&self) -> Result<EngineInfo, EngineError> {
        info(self).await
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<String, EngineError> {
        networks::create(self, network).await
    }

    async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        networks::remove(self, name).await
    }

    async fn create_volume(&self, volume: &VolumeSpec) -> Result<(), EngineError> {
        volumes::create(self, volume).await
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        volumes::remove(self, name).await
    }

    async fn create(&self, container: &ContainerSpec) -> Result<String, EngineError> {
        let docker = self.docker().await?;
        let options = spec::options(container);
        let created = docker
            .create_container(Some(options), spec::body(container))
            .await;
        Ok(created.map_err(|error| self.error(error))?.id)
    }

    async fn start(&self, id: &str) -> Result<(), EngineError> {
        starting::start(self, id).await
    }

    fn output(&self, id: &str, since: Since) -> OutputStream {
        output::follow(self.clone(), id.to_string(), since)
    }

    async fn wait(&self, id: &str) -> Result<Exit, EngineError> {
        waiting::wait(self, id).await
    }

    async fn inspect(&self, id: &str) -> Result<Option<ContainerState>, EngineError> {
        inspecting::inspect(self, id).await
    }

    async fn stop(&self, id: &str, grace: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        let stopped = self
            .patient()
            .await?
            .stop_container(id, Some(options))
            .await;
        gone_is_fine(stopped.map_err(|error| self.error(error)))
    }

    async fn remove(&self, id: &str) -> Result<(), EngineError> {
        remove(self, id).await
    }

    async fn list(&self, resource: Resource, labels: &Labels) -> Result<Vec<Found>, EngineError> {
        match resource {
            Resource::Container => list(self, labels).await,
            Resource::Network => networks::list(self, labels).await,
            Resource::Volume => volumes::list(self, labels).await,
        }
    }

    async fn upload(&self, id: &str, folder: &str, tar: TarStream) -> Result<(), EngineError> {
        archive::upload(self, (id, folder), tar).await
    }

    async fn download(&self, id: &str, path: &str) -> Result<TarStream, EngineError> {
        archive::download(self, (id, path)).await
    }
}

async fn info(engine: &DockerEngine) -> Result<EngineInfo, EngineError> {
    let client = engine.client().await?;
    let (info, started_at) = tokio::join!(client.docker.info(), waiting::engine_start(engine));
    let info = info.map_err(|error| engine.error(error))?;
    Ok(EngineInfo {
        id: info.id.unwrap_or_default(),
        name: info.name.unwrap_or_default(),
        version: info.server_version.unwrap_or_default(),
        api_version: client.api_version.clone(),
        os: info.os_type.unwrap_or_default(),
        os_version: info.kernel_version.unwrap_or_default(),
        architecture: image_architecture(info.architecture.as_deref().unwrap_or_default()),
        cpus: u32::try_from(info.ncpu.unwrap_or(1)).unwrap_or(1),
        memory_bytes: u64::try_from(info.mem_total.unwrap_or(0)).unwrap_or(0),
        started_at: started_at?,
    })
}

/// The name that images use for what the kernel calls a machine.
fn image_architecture(machine: &str) -> String {
    let name = match machine {
        "x86_64" => "amd64",
        "aarch64" | "arm64" => "arm64",
        "armv7l" | "armv6l" => "arm",
        "i386" | "i686" => "386",
        other => other,
    };
    name.to_string()
}

async fn remove(engine: &DockerEngine, id: &str) -> Result<(), EngineError> {
    let docker = engine.patient().await?;
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    let removed = docker.remove_container(id, Some(options)).await;
    match gone_is_fine(removed.map_err(|error| engine.error(error))) {
        // Somebody else is about it: it is gone when they are done.
        Err(EngineError::Other(message)) if message.contains("is already in progress") => {
            waiting::wait_until_removed(engine, id).await
        }
        other => other,
    }
}

async fn list(engine: &DockerEngine, labels: &Labels) -> Result<Vec<Found>, EngineError> {
    let filter = label_filter(labels);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filter)
        .build();
    let listed = engine.docker().await?.list_containers(Some(options)).await;
    let containers = listed.map_err(|error| engine.error(error))?.into_iter();
    let found = containers.map(|container| Found {
        resource: Resource::Container,
        id: container.id.unwrap_or_default(),
        name: bare(container.names.and_then(|names| names.into_iter().next())),
        labels: container.labels.unwrap_or_default().into_iter().collect(),
    });
    Ok(found.collect())
}
