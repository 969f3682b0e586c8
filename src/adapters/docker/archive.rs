//! Files into and out of containers, as streams of tar.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::ports::{EngineError, TarStream};

use super::DockerEngine;

/// Unpacks an archive into a folder (the second) of a container (the first).
pub(super) async fn upload(
    engine: &DockerEngine,
    (id, folder): (&str, &str),
    tar: TarStream,
) -> Result<(), EngineError> {
    let options = UploadToContainerOptionsBuilder::default()
        .path(folder)
        .build();
    let docker = engine.patient().await?;
    let (tar, source_error) = watch(tar);
    let body = bollard::body_try_stream(tar);
    match docker.upload_to_container(id, Some(options), body).await {
        Ok(()) => Ok(()),
        Err(error) => Err(source_error.take().unwrap_or_else(|| engine.error(error))),
    }
}

/// Packs a file or folder (the second) of a container (the first).
pub(super) async fn download(
    engine: &DockerEngine,
    (id, path): (&str, &str),
) -> Result<TarStream, EngineError> {
    let options = DownloadFromContainerOptionsBuilder::default()
        .path(path)
        .build();
    let docker = engine.patient().await?;
    let mut pieces = docker.download_from_container(id, Some(options)).boxed();
    // A missing file is an error of the call, not of the archive's reader.
    let first = pieces
        .try_next()
        .await
        .map_err(|error| engine.error(error))?;
    let pieces = stream::iter(first.map(Ok)).chain(pieces);
    Ok(pieces.map_err(io::Error::other).boxed())
}

/// Where the error of a tar's source is kept, since the client would only say that sending failed.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceError(Arc<Mutex<Option<String>>>);

impl SourceError {
    /// Takes the error, if the source failed.
    pub(super) fn take(&self) -> Option<EngineError> {
        let mut slot = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        slot.take().map(EngineError::Other)
    }
}

/// Passes a tar through and keeps the error that ends it.
pub(super) fn watch(tar: TarStream) -> (TarStream, SourceError) {
    let kept = SourceError::default();
    let slot = kept.clone();
    let watched = tar.inspect_err(move |error| {
        let mut slot = slot.0.lock().unwrap_or_else(|poison| poison.into_inner());
        *slot = Some(error.to_string());
    });
    (watched.boxed(), kept)
}
