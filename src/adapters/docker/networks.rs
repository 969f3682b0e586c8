//! Networks of the engine.

use std::time::Duration;

use bollard::{
    models::{NetworkCreateRequest, NetworkDisconnectRequest},
    query_parameters::{InspectNetworkOptions, ListNetworksOptionsBuilder},
};

use crate::ports::{Containers as _, EngineError, Found, Labels, NetworkSpec, Resource};

use super::{DockerEngine, errors::gone_is_fine, labels::label_filter};

/// How often, and how long apart, a network is asked to go while the ends of dead containers linger in it.
const REMOVE_ATTEMPTS: u32 = 50;
const REMOVE_PAUSE: Duration = Duration::from_millis(100);
/// After how many attempts an end that lingers is taken for one that its container has forgotten.
const FORGOTTEN_AFTER: u32 = 10;

/// Makes a network and returns its id.
pub(super) async fn create(
    engine: &DockerEngine,
    network: &NetworkSpec,
) -> Result<String, EngineError> {
    let docker = engine.docker().await?;
    // Engines before API 1.44 would make a second network of the same name.
    let existing = docker
        .inspect_network(&network.name, None::<InspectNetworkOptions>)
        .await;
    match existing.map_err(|error| engine.error(error)) {
        Ok(_) => return Err(EngineError::NameConflict(network.name.clone())),
        Err(EngineError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let driver = network.driver.clone();
    let created = docker.create_network(NetworkCreateRequest {
        name: network.name.clone(),
        driver: Some(driver.unwrap_or_else(|| "bridge".to_string())),
        enable_ipv6: Some(network.ipv6),
        labels: Some(network.labels.clone().into_iter().collect()),
        ..Default::default()
    });
    match created.await.map_err(|error| engine.error(error)) {
        Ok(created) => Ok(created.id),
        Err(EngineError::Other(message)) if message.contains("already exists") => {
            Err(EngineError::NameConflict(network.name.clone()))
        }
        Err(error) => Err(error),
    }
}

/// Removes a network; fine when it is gone.
pub(super) async fn remove(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    let docker = engine.docker().await?;
    let mut attempts = 1;
    loop {
        let removed = docker.remove_network(name).await;
        match gone_is_fine(removed.map_err(|error| engine.error(error))) {
            Err(EngineError::InUse(_)) if attempts < REMOVE_ATTEMPTS => {
                if attempts == FORGOTTEN_AFTER {
                    release_forgotten(engine, name).await?;
                }
                attempts += 1;
                tokio::time::sleep(REMOVE_PAUSE).await;
            }
            other => return other,
        }
    }
}

/// Takes out of a network the ends of containers that are no more. Now and then engine 20.10 keeps such an end for ever.
async fn release_forgotten(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    let docker = engine.docker().await?;
    let Ok(network) = docker
        .inspect_network(name, None::<InspectNetworkOptions>)
        .await
    else {
        return Ok(());
    };
    for (container, end) in network.containers.unwrap_or_default() {
        let Some(end) = end.name.filter(|it| !it.is_empty()) else {
            continue;
        };
        if engine.inspect(&container).await?.is_some() || engine.inspect(&end).await?.is_some() {
            continue;
        }
        let request = NetworkDisconnectRequest {
            container: end,
            force: Some(true),
        };
        // Whether it helped, the next attempt to remove the network tells.
        if let Err(error) = docker.disconnect_network(name, request).await {
            tracing::debug!(%error, name, "could not take a forgotten end out of a network");
        }
    }
    Ok(())
}

/// Finds the networks that bear all these labels.
pub(super) async fn list(
    engine: &DockerEngine,
    labels: &Labels,
) -> Result<Vec<Found>, EngineError> {
    let filter = label_filter(labels);
    let options = ListNetworksOptionsBuilder::default()
        .filters(&filter)
        .build();
    let listed = engine.docker().await?.list_networks(Some(options)).await;
    let networks = listed.map_err(|error| engine.error(error))?.into_iter();
    let found = networks.map(|network| Found {
        resource: Resource::Network,
        id: network.id.unwrap_or_default(),
        name: network.name.unwrap_or_default(),
        labels: network.labels.unwrap_or_default().into_iter().collect(),
    });
    Ok(found.collect())
}
