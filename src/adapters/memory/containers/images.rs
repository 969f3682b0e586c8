//! The `Images` port of the engine in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use crate::ports::{
    BuildCacheBounds, BuildError, BuildRequest, Built, EngineError, ImageInfo, Images, Progress,
    PushedImage, RegistryLogin, Sink,
};

use super::{Call, MemoryEngine, builds, digest::digest, files};

/// The images on the engine and in the registries it knows.
#[derive(Debug, Default)]
pub(super) struct ImageShelf {
    /// Ids by reference.
    local: BTreeMap<String, String>,
    pub(super) any: bool,
    pub(super) remote: BTreeSet<String>,
    pub(super) logins: BTreeMap<String, RegistryLogin>,
    pub(super) pushed: Vec<(String, String)>,
    /// Instructions that were built before, by the hash of all that went into them.
    pub(super) built: BTreeSet<String>,
}

impl ImageShelf {
    /// Puts an image here.
    pub(super) fn add(&mut self, reference: &str) {
        self.tag(reference, &digest(reference));
    }

    /// Gives an image a name.
    pub(super) fn tag(&mut self, reference: &str, id: &str) {
        self.local.insert(full(reference), id.to_string());
    }

    /// Looks for an image by name or id.
    pub(super) fn find(&self, reference: &str) -> Option<ImageInfo> {
        let by_name = self.local.get(&full(reference)).cloned();
        let by_id = || self.local.values().find(|id| *id == reference).cloned();
        let id = by_name
            .or_else(by_id)
            .or_else(|| self.any.then(|| digest(reference)))?;
        Some(ImageInfo {
            id,
            repo_digests: Vec::new(),
            has_health_check: false,
            size_bytes: 1_000,
        })
    }

    /// Lets in whom the registry of this image lets in.
    fn check_login(
        &self,
        reference: &str,
        login: Option<&RegistryLogin>,
    ) -> Result<(), EngineError> {
        let server = reference.split('/').next().unwrap_or_default();
        let Some(wanted) = self.logins.get(server) else {
            return Ok(());
        };
        let fits = login.is_some_and(|login| {
            login.username == wanted.username
                && login.password.expose_secret() == wanted.password.expose_secret()
        });
        if fits {
            return Ok(());
        }
        Err(EngineError::Unauthorized {
            reference: reference.to_string(),
            reason: "authentication required".to_string(),
        })
    }
}

#[async_trait]
impl Images for MemoryEngine {
    async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        self.inner.faults.enter(Call::Image).await?;
        Ok(self.state().images.find(reference))
    }

    async fn pull(
        &self,
        reference: &str,
        _platform: Option<&str>,
        login: Option<&RegistryLogin>,
        sink: &dyn Sink,
    ) -> Result<ImageInfo, EngineError> {
        self.inner.faults.enter(Call::Pull).await?;
        let images = &mut self.state().images;
        images.check_login(reference, login)?;
        if images.remote.contains(reference) {
            images.add(reference);
            sink.progress(Progress {
                text: "layer 1 of 1".to_string(),
                bytes: Some((1_000, 1_000)),
            });
        }
        let found = if images.any || images.remote.contains(reference) {
            images.find(reference)
        } else {
            None
        };
        found.ok_or_else(|| not_found(reference, "manifest unknown"))
    }

    async fn push(
        &self,
        reference: &str,
        login: Option<&RegistryLogin>,
        sink: &dyn Sink,
    ) -> Result<PushedImage, EngineError> {
        self.inner.faults.enter(Call::Push).await?;
        let images = &mut self.state().images;
        let image = images.find(reference);
        let image = image.ok_or_else(|| not_found(reference, "it is not on the engine"))?;
        images.check_login(reference, login)?;
        images
            .pushed
            .push((reference.to_string(), image.id.clone()));
        images.remote.insert(reference.to_string());
        sink.progress(Progress {
            text: "layer 1 of 1".to_string(),
            bytes: Some((1_000, 1_000)),
        });
        Ok(PushedImage {
            digest: digest(&image.id),
        })
    }

    async fn build(&self, request: &BuildRequest, sink: &dyn Sink) -> Result<Built, BuildError> {
        self.inner.faults.enter(Call::Build).await?;
        let context = files::gather((request.context)()).await?;
        builds::build(self, request, &context, sink).await
    }

    async fn prune_builds(&self, _: &BuildCacheBounds) -> Result<u64, EngineError> {
        Ok(0) // it keeps nothing of builds
    }

    async fn ensure_empty_image(&self, reference: &str) -> Result<(), EngineError> {
        self.inner.faults.enter(Call::EnsureEmptyImage).await?;
        self.state().images.add(reference);
        Ok(())
    }
}

/// The reference with its tag.
fn full(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    if name.contains([':', '@']) {
        reference.to_string()
    } else {
        format!("{reference}:latest")
    }
}

fn not_found(reference: &str, reason: &str) -> EngineError {
    EngineError::ImageNotFound {
        reference: reference.to_string(),
        reason: reason.to_string(),
    }
}
