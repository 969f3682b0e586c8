//! Images from registries to the engine.

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt;

use crate::ports::{EngineError, RegistryLogin, Sink};

use super::{
    DockerEngine, logins::credentials, reference::split, registry_errors::registry_error,
    transfer::Transfer,
};

/// Pulls an image (the first of the pair) for a platform (the second).
pub(super) async fn pull(
    engine: &DockerEngine,
    (reference, platform): (&str, Option<&str>),
    login: Option<&RegistryLogin>,
    sink: &dyn Sink,
) -> Result<(), EngineError> {
    let (repository, version) = split(reference);
    let options = CreateImageOptionsBuilder::default()
        .from_image(repository)
        .tag(version)
        .platform(platform.unwrap_or_default())
        .build();
    let docker = engine.patient().await?;
    let mut messages = docker.create_image(Some(options), None, login.map(credentials));
    let mut transfer = Transfer::default();
    let refused = |error| registry_error(engine.error(error), reference);
    while let Some(message) = messages.try_next().await.map_err(refused)? {
        let status = message.status.as_deref().unwrap_or_default();
        let detail = message.progress_detail.as_ref();
        if let Some(progress) = transfer.note(message.id.as_deref(), status, detail) {
            sink.progress(progress);
        }
    }
    Ok(())
}
