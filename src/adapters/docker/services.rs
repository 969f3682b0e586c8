//! Services of the Swarm that the engine manages.

use async_trait::async_trait;
use bollard::{
    models::{Service, ServiceSpecMode, ServiceSpecModeReplicated},
    query_parameters::{InspectServiceOptions, UpdateServiceOptionsBuilder},
};

use super::DockerEngine;
use crate::ports::{EngineError, Services};

#[async_trait]
impl Services for DockerEngine {
    async fn replicas(&self, service: &str) -> Result<u64, EngineError> {
        let found = inspect(self, service).await?;
        let mode = found.spec.and_then(|spec| spec.mode);
        let replicas = mode.and_then(|mode| mode.replicated?.replicas);
        let replicas = replicas.and_then(|count| u64::try_from(count).ok());
        replicas.ok_or_else(|| not_replicated(service))
    }

    async fn set_replicas(&self, service: &str, replicas: u64) -> Result<(), EngineError> {
        let found = inspect(self, service).await?;
        let version = found.version.and_then(|version| version.index);
        let (Some(mut spec), Some(version)) = (found.spec, version) else {
            return Err(not_replicated(service));
        };
        spec.mode = Some(ServiceSpecMode {
            replicated: Some(ServiceSpecModeReplicated {
                replicas: Some(replicas.cast_signed()),
            }),
            ..ServiceSpecMode::default()
        });
        let version = i32::try_from(version).unwrap_or(i32::MAX);
        let options = UpdateServiceOptionsBuilder::default()
            .version(version)
            .build();
        let docker = self.docker().await?;
        let updated = docker.update_service(service, spec, options, None).await;
        updated.map(drop).map_err(|error| self.error(error))
    }
}

async fn inspect(engine: &DockerEngine, service: &str) -> Result<Service, EngineError> {
    let docker = engine.docker().await?;
    let found = docker
        .inspect_service(service, None::<InspectServiceOptions>)
        .await;
    found.map_err(|error| engine.error(error))
}

fn not_replicated(service: &str) -> EngineError {
    EngineError::Other(format!(
        "the service {service} has no number of replicas to set"
    ))
}
