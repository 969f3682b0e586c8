//! Volumes of the engine.

use bollard::{
    models::VolumeCreateRequest,
    query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptions},
};

use crate::ports::{EngineError, Found, Labels, Resource, VolumeSpec};

use super::{DockerEngine, errors::gone_is_fine, labels::label_filter};

/// Makes a volume; fine when it is there with the same labels.
pub(super) async fn create(engine: &DockerEngine, volume: &VolumeSpec) -> Result<(), EngineError> {
    let docker = engine.docker().await?;
    let created = docker.create_volume(VolumeCreateRequest {
        name: Some(volume.name.clone()),
        labels: Some(volume.labels.clone().into_iter().collect()),
        ..Default::default()
    });
    // An engine answers with the volume that was there before, if there was one.
    let found = created.await.map_err(|error| engine.error(error))?;
    let labels: Labels = found.labels.into_iter().collect();
    if labels == volume.labels {
        Ok(())
    } else {
        Err(EngineError::NameConflict(volume.name.clone()))
    }
}

/// Removes a volume; fine when it is gone.
pub(super) async fn remove(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    let docker = engine.docker().await?;
    let removed = docker
        .remove_volume(name, None::<RemoveVolumeOptions>)
        .await;
    gone_is_fine(removed.map_err(|error| engine.error(error)))
}

/// Finds the volumes that bear all these labels.
pub(super) async fn list(
    engine: &DockerEngine,
    labels: &Labels,
) -> Result<Vec<Found>, EngineError> {
    let filter = label_filter(labels);
    let options = ListVolumesOptionsBuilder::default()
        .filters(&filter)
        .build();
    let listed = engine.docker().await?.list_volumes(Some(options)).await;
    let volumes = listed.map_err(|error| engine.error(error))?.volumes;
    let found = volumes.into_iter().flatten().map(|volume| Found {
        resource: Resource::Volume,
        id: volume.name.clone(),
        name: volume.name,
        labels: volume.labels.into_iter().collect(),
    });
    Ok(found.collect())
}
