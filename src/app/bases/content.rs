//! Whether two manifests are of one content: the same layers and the same configuration, times aside.

use futures_util::TryStreamExt;
use serde_json::Value;

use super::super::App;
use crate::ports::{Contents, RegistryError, Repository};

/// The largest configuration that is read.
const CONFIG_BYTES: usize = 8 << 20;
/// The platform that builders give to what is no image, such as attestations.
const NO_PLATFORM: &str = "unknown";

impl App {
    /// Compares what two digests stand for; what cannot be read is taken for different.
    pub(super) async fn is_same_content(&self, at: &Repository, one: &str, other: &str) -> bool {
        let (one, other) = tokio::join!(self.content(at, one), self.content(at, other));
        match (one, other) {
            (Ok(Some(one)), Ok(Some(other))) => one == other,
            _ => false,
        }
    }

    /// The configurations of all platforms; `None` for what is no image.
    async fn content(
        &self,
        at: &Repository,
        digest: &str,
    ) -> Result<Option<Vec<Value>>, RegistryError> {
        let Ok(contents) = self.ports.registry.manifest(at, digest).await?.contents() else {
            return Ok(None);
        };
        if !contents.is_index() {
            let config = self.config(at, &contents).await?;
            return Ok(config.map(|it| vec![it]));
        }
        let mut configs = Vec::new();
        for image in &contents.manifests {
            let platform = image.platform().as_ref();
            if platform.is_some_and(|it| it.os().to_string() == NO_PLATFORM) {
                continue;
            }
            let manifest = self
                .ports
                .registry
                .manifest(at, image.digest().as_ref())
                .await?;
            let Ok(contents) = manifest.contents() else {
                return Ok(None);
            };
            match self.config(at, &contents).await? {
                Some(config) => configs.push(config),
                None => return Ok(None),
            }
        }
        Ok(Some(configs))
    }

    async fn config(
        &self,
        at: &Repository,
        contents: &Contents,
    ) -> Result<Option<Value>, RegistryError> {
        let Some(config) = &contents.config else {
            return Ok(None);
        };
        let mut stream = self
            .ports
            .registry
            .blob(at, config.digest().as_ref())
            .await?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.try_next().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > CONFIG_BYTES {
                return Ok(None);
            }
        }
        Ok(serde_json::from_slice(&bytes).ok().and_then(without_times))
    }
}

/// A configuration without the times at which it was made; `None` for what has no layers, and so is no image.
fn without_times(mut config: Value) -> Option<Value> {
    config["rootfs"]["diff_ids"].as_array()?;
    let fields = config.as_object_mut()?;
    fields.shift_remove("created");
    if let Some(steps) = fields.get_mut("history").and_then(Value::as_array_mut) {
        for step in steps {
            if let Some(step) = step.as_object_mut() {
                step.shift_remove("created");
            }
        }
    }
    Some(config)
}
