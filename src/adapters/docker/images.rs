//! Images of the engine: looked at, pulled, pushed, built.

use async_trait::async_trait;
use bollard::{models::ImageInspect, query_parameters::CreateImageOptionsBuilder};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::ports::{
    BuildCacheBounds, BuildError, BuildRequest, Built, EngineError, ImageInfo, Images, PackedLayer,
    PushedImage, RegistryLogin, Sink,
};

use super::{DockerEngine, build, build_cache, packing, pull, push, reference::split};

#[async_trait]
impl Images for DockerEngine {
    async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        let docker = self.docker().await?;
        match docker
            .inspect_image(reference)
            .await
            .map_err(|error| self.error(error))
        {
            Ok(image) => Ok(Some(info_of(image))),
            Err(EngineError::ImageNotFound { .. } | EngineError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn pull(
        &self,
        reference: &str,
        platform: Option<&str>,
        login: Option<&RegistryLogin>,
        sink: &dyn Sink,
    ) -> Result<ImageInfo, EngineError> {
        pull::pull(self, (reference, platform), login, sink).await?;
        let pulled = self.image(reference).await?;
        pulled.ok_or_else(|| EngineError::ImageNotFound {
            reference: reference.to_string(),
            reason: "it was gone right after the pull".to_string(),
        })
    }

    async fn push(
        &self,
        reference: &str,
        login: Option<&RegistryLogin>,
        sink: &dyn Sink,
    ) -> Result<PushedImage, EngineError> {
        push::push(self, reference, login, sink).await
    }

    async fn pack(
        &self,
        reference: &str,
        layers: mpsc::UnboundedSender<PackedLayer>,
    ) -> Result<(), EngineError> {
        packing::pack(self, reference, layers).await
    }

    async fn settings(&self, reference: &str) -> Result<Option<Value>, EngineError> {
        let docker = self.docker().await?;
        let image = docker.inspect_image(reference).await;
        let image = image.map_err(|error| self.error(error))?;
        Ok(serde_json::to_value(image).ok().map(|it| {
            json!({
                "architecture": it["Architecture"],
                "os": it["Os"],
                "variant": it["Variant"],
                "config": it["Config"],
                "rootfs": { "diff_ids": it["RootFS"]["Layers"] },
            })
        }))
    }

    async fn build(&self, request: &BuildRequest, sink: &dyn Sink) -> Result<Built, BuildError> {
        build::build(self, request, sink).await
    }

    async fn prune_builds(&self, bounds: &BuildCacheBounds) -> Result<u64, EngineError> {
        build_cache::prune(self, bounds).await
    }

    async fn ensure_empty_image(&self, reference: &str) -> Result<(), EngineError> {
        if self.image(reference).await?.is_some() {
            return Ok(());
        }
        let (repository, tag) = split(reference);
        let options = CreateImageOptionsBuilder::default()
            .from_src("-")
            .repo(repository)
            .tag(tag)
            .build();
        // Two blocks of zeros are an archive of nothing.
        let nothing = bollard::body_full(Bytes::from_static(&[0; 1024]));
        let docker = self.docker().await?;
        let imported = docker.create_image(Some(options), Some(nothing), None);
        let imported: Result<Vec<_>, _> = imported.try_collect().await;
        imported.map(|_| ()).map_err(|error| self.error(error))
    }
}

fn info_of(image: ImageInspect) -> ImageInfo {
    let check = image.config.and_then(|config| config.healthcheck);
    let test = check.and_then(|check| check.test).unwrap_or_default();
    ImageInfo {
        id: image.id.unwrap_or_default(),
        repo_digests: image.repo_digests.unwrap_or_default(),
        has_health_check: test.first().is_some_and(|kind| kind != "NONE"),
        size_bytes: u64::try_from(image.size.unwrap_or(0)).unwrap_or(0),
    }
}
