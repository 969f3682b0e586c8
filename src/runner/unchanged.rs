//! Keeps what a tag holds where an image that was built anew is the same in all but its times.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use serde_json::Value;

use super::dispatch::Env;
use crate::{
    fleet::same_content,
    ports::{Manifest, Registry, RegistryError, Repository, Right, name_of},
    spec::reference::Reference,
};

/// How long the comparison may hold up a push.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest configuration that is read.
const CONFIG_BYTES: usize = 8 << 20;

/// The digest that the tag holds, if that has the content of what is to be pushed. Only builds on bases that were
/// decided ask: others are pushed because someone wants them to be. Whatever cannot be compared is taken for different.
pub(super) async fn held(env: &Arc<Env>, reference: &str) -> Option<String> {
    if env.job.bases.is_empty() {
        return None;
    }
    let compared = tokio::time::timeout(PATIENCE, compare(env, reference));
    compared.await.ok().flatten()
}

async fn compare(env: &Arc<Env>, reference: &str) -> Option<String> {
    let built = env.ports.images.settings(reference).await.ok().flatten()?;
    let image = Reference::parse(reference).ok()?.with_default_tag();
    let at = env.job.keyring.repository(&image, Right::Pull).await;
    let name = name_of(&image);
    let (digest, config) = config(env, &at, &name).await.ok().flatten()?;
    same_content(&built, &config).then_some(digest)
}

/// What the tag holds, and its configuration; `None` for what is no image of one platform.
async fn config(
    env: &Arc<Env>,
    at: &Repository,
    name: &str,
) -> Result<Option<(String, Value)>, RegistryError> {
    let registry = &*env.ports.registry;
    let manifest = registry.manifest(at, name).await?;
    let config = read_config((registry, at), &manifest).await?;
    Ok(config.map(|it| (manifest.digest, it)))
}

/// Reads the configuration of an image; `None` for what has none, or one that is no configuration.
pub(super) async fn read_config(
    (registry, at): (&dyn Registry, &Repository),
    manifest: &Manifest,
) -> Result<Option<Value>, RegistryError> {
    let Some(config) = manifest.contents().ok().and_then(|it| it.config) else {
        return Ok(None);
    };
    let mut stream = registry.blob(at, config.digest().as_ref()).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.try_next().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > CONFIG_BYTES {
            return Ok(None);
        }
    }
    Ok(serde_json::from_slice(&bytes).ok())
}
