//! The `Containers` port of the engine in memory.

use std::time::Duration;

use async_trait::async_trait;

use crate::ports::{
    ContainerSpec, ContainerState, Containers, EngineError, EngineInfo, Exit, Found, Labels,
    NetworkSpec, OutputStream, Resource, Since, TarStream, VolumeSpec,
};

use super::{Call, MemoryEngine, files, output};

#[async_trait]
impl Containers for MemoryEngine {
    async fn info(&self) -> Result<EngineInfo, EngineError> {
        self.inner.faults.enter(Call::Info).await?;
        let state = self.state();
        Ok(EngineInfo {
            id: state.engine_id.clone(),
            name: "memory".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            api_version: "1.41".to_string(),
            os: "linux".to_string(),
            os_version: "0".to_string(),
            architecture: "amd64".to_string(),
            cpus: 4,
            memory_bytes: 8 << 30,
            started_at: Some(state.started_at),
        })
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<String, EngineError> {
        self.inner.faults.enter(Call::CreateNetwork).await?;
        self.state().create_network(network)
    }

    async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::RemoveNetwork).await?;
        self.state().remove_network(name)
    }

    async fn create_volume(&self, volume: &VolumeSpec) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::CreateVolume).await?;
        self.state().create_volume(volume)
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::RemoveVolume).await?;
        self.state().remove_volume(name)
    }

    async fn create(&self, container: &ContainerSpec) -> Result<String, EngineError> {
        self.inner.faults.enter(Call::Create).await?;
        self.state().create(container)
    }

    async fn start(&self, id: &str) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::Start).await?;
        let mut state = self.state();
        let container = state.find(id)?;
        state.start(&container)
    }

    fn output(&self, id: &str, since: Since) -> OutputStream {
        output::follow(self.clone(), id.to_string(), since)
    }

    async fn wait(&self, id: &str) -> Result<Exit, EngineError> {
        let mut breaks = self.inner.faults.breaks();
        self.inner.faults.enter(Call::Wait).await?;
        let container = self.state().find(id)?;
        let exit = tokio::select! {
            biased;
            broken = breaks.broken() => return Err(broken),
            exit = container.wait() => exit,
        };
        exit.ok_or_else(|| EngineError::Other(format!("container {id} was not started")))
    }

    async fn inspect(&self, id: &str) -> Result<Option<ContainerState>, EngineError> {
        self.inner.faults.enter(Call::Inspect).await?;
        let container = self.state().find(id);
        Ok(container.ok().map(|container| container.inspect()))
    }

    async fn stop(&self, id: &str, grace: Duration) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::Stop).await?;
        let Ok(container) = self.state().find(id) else {
            return Ok(());
        };
        let code = if grace.is_zero() || container.behaviour.ignores_term {
            // An end that comes in time is as good as a stop.
            let _ = tokio::time::timeout(grace, container.wait()).await;
            137
        } else {
            143
        };
        self.state().end(&container, code);
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::Remove).await?;
        let mut state = self.state();
        if let Ok(container) = state.find(id) {
            state.remove(&container);
        }
        Ok(())
    }

    async fn list(&self, resource: Resource, labels: &Labels) -> Result<Vec<Found>, EngineError> {
        self.inner.faults.enter(Call::List).await?;
        Ok(self.state().list(resource, labels))
    }

    async fn upload(&self, id: &str, folder: &str, tar: TarStream) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::Upload).await?;
        let archive = files::gather(tar).await?;
        let state = &mut *self.state();
        let container = state.find(id)?;
        state.unpack(&container, folder, &archive)
    }

    async fn download(&self, id: &str, path: &str) -> Result<TarStream, EngineError> {
        self.inner.faults.enter(Call::Download).await?;
        let state = self.state();
        let container = state.find(id)?;
        state.pack(&container, path)
    }
}
