//! Packs the new layers of an image before its push is due.
//!
//! An engine packs layers only while it pushes, and remembers the digest of what it packed. So it pushes to a registry
//! of ours that takes the layers it knows no digest of and refuses the manifest: nothing is published. Once the push is
//! due, what is packed goes on to the real registry, and the engine finds it there.

mod counter;

use bollard::query_parameters::{
    PushImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::TryStreamExt;
use tokio::sync::mpsc;

use super::{DockerEngine, address::Address};
use crate::ports::{EngineError, PackedLayer};

use counter::Counter;

/// The tag under which an image is pushed to us.
const TAG: &str = "packing";

/// Packs the layers of an image that the engine has pushed nowhere yet; none where the engine is on another machine.
pub(super) async fn pack(
    engine: &DockerEngine,
    reference: &str,
    layers: mpsc::UnboundedSender<PackedLayer>,
) -> Result<(), EngineError> {
    if !matches!(engine.address(), Address::Unix(_)) {
        return Ok(());
    }
    let counter = Counter::open(layers)
        .await
        .map_err(|error| EngineError::Other(format!("no port for packing layers: {error}")))?;
    let repository = counter.repository();
    name(engine, reference, &repository).await?;
    let docker = engine.patient().await?;
    let options = PushImageOptionsBuilder::default().tag(TAG).build();
    let messages = docker.push_image(&repository, Some(options), None);
    // The engine looks the name up once: it goes as early as can be, so that nobody finds it after a crash.
    let unnaming = {
        let (engine, asked) = (engine.clone(), counter.asked());
        tokio::spawn(async move {
            // A counter that is gone will not be asked any more.
            let _ = asked.await;
            unname(&engine, &repository).await;
        })
    };
    let refused = messages.try_for_each(|_| async { Ok(()) }).await;
    tracing::debug!(?refused, reference, "packed");
    counter.close();
    let _ = unnaming.await;
    Ok(())
}

async fn name(engine: &DockerEngine, reference: &str, repository: &str) -> Result<(), EngineError> {
    let options = TagImageOptionsBuilder::default()
        .repo(repository)
        .tag(TAG)
        .build();
    let docker = engine.docker().await?;
    let named = docker.tag_image(reference, Some(options)).await;
    named.map_err(|error| engine.error(error))
}

async fn unname(engine: &DockerEngine, repository: &str) {
    let options = RemoveImageOptionsBuilder::default().noprune(true).build();
    let name = format!("{repository}:{TAG}");
    if let Ok(docker) = engine.docker().await
        && let Err(error) = docker.remove_image(&name, Some(options), None).await
    {
        tracing::debug!(%error, name, "a name stays");
    }
}
