//! A thing that holds, builds and moves images.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{SecretSlice, SecretString};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{ContextFiles, EngineError, Labels, Output, PackedLayer, TarSource};

/// Credentials for one registry.
#[derive(Debug, Clone)]
pub struct RegistryLogin {
    /// The host as references name it, such as `r.example.com:5000`.
    pub server: String,
    /// The user.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

/// What is known of an image on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// The id, `sha256:…` of its config.
    pub id: String,
    /// `repository@sha256:…` for each registry that it came from or went to.
    pub repo_digests: Vec<String>,
    /// Whether it has a health check.
    pub has_health_check: bool,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// How far a pull, push or build has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// A line for people, such as `layer 3 of 5`.
    pub text: String,
    /// Bytes done and bytes in all, where known.
    pub bytes: Option<(u64, u64)>,
}

/// Where long calls send what they have to say.
pub trait Sink: Send + Sync {
    /// Takes a line of output for the log.
    fn output(&self, output: Output);
    /// Takes a note on how far the call has come; never logged.
    fn progress(&self, progress: Progress);
    /// Takes what is known of a part of a build, again whenever more is known.
    fn part(&self, _part: &BuildPart) {}
}

/// One part of a build, such as a command of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BuildPart {
    /// Its number in the log, from 1 in the order of the starts.
    pub number: usize,
    /// What it does, such as `[2/3] RUN make`.
    pub name: String,
    /// Whether it was taken from the cache.
    pub cached: bool,
    /// When it started, in milliseconds since 1970.
    pub started_at: i64,
    /// How long it took, in milliseconds; `None` while it runs.
    pub milliseconds: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Something a build may look at and that leaves no trace in the image.
#[derive(Debug, Clone)]
pub struct BuildSecret {
    /// The id by which `RUN --mount=type=secret` asks for it.
    pub id: String,
    /// The content.
    pub value: Arc<SecretSlice<u8>>,
}

/// An image to build from a context.
#[derive(Clone)]
pub struct BuildRequest {
    /// The context.
    pub context: TarSource,
    /// The same context file by file; without it, the archive is sent whole.
    pub files: Option<Arc<dyn ContextFiles>>,
    /// The Dockerfile, a path inside the archive.
    pub dockerfile: String,
    /// The names to give the image.
    pub tags: Vec<String>,
    /// Names and values of `ARG`s.
    pub build_args: Vec<(String, String)>,
    /// Those of them whose values must not be in the image.
    pub secret_args: Vec<String>,
    /// What `RUN --mount=type=secret` may read.
    pub secrets: Vec<BuildSecret>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Labels of the image.
    pub labels: Labels,
    /// The platform, or several with commas; `None` is the engine's own.
    pub platform: Option<String>,
    /// Whether nothing is taken from the cache.
    pub no_cache: bool,
    /// Whether bases are looked for in their registry first.
    pub pull: bool,
    /// The network of RUN instructions.
    pub network: Option<String>,
    /// Whose layers may be taken, each as in `--cache-from`.
    pub cache_from: Vec<String>,
    /// Where layers are left, each as in `--cache-to`.
    pub cache_to: Vec<String>,
    /// The image under which the step's cache is kept in a registry, if the engine can (`cache: enabled`).
    pub kept_cache: Option<String>,
    /// Whether the image bears notes that let others take its layers.
    pub inline_cache: bool,
    /// Lines for `/etc/hosts`, each as `host:address`.
    pub extra_hosts: Vec<String>,
    /// Size of `/dev/shm` in bytes.
    pub shm_size_bytes: Option<u64>,
    /// Memory of RUN instructions in bytes.
    pub memory_bytes: Option<u64>,
    /// Whether the layers become one.
    pub squash: bool,
    /// Credentials for bases.
    pub logins: Vec<RegistryLogin>,
    /// Whether the classic builder is asked for (`DOCKER_BUILDKIT=0`).
    pub classic: bool,
}

impl BuildRequest {
    /// Asks for a build of a context by the Dockerfile at this path inside it, without any option.
    pub fn new(context: TarSource, dockerfile: &str) -> BuildRequest {
        BuildRequest {
            context,
            files: None,
            dockerfile: dockerfile.to_string(),
            tags: Vec::new(),
            build_args: Vec::new(),
            secret_args: Vec::new(),
            secrets: Vec::new(),
            target: None,
            labels: Labels::new(),
            platform: None,
            no_cache: false,
            pull: false,
            network: None,
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            kept_cache: None,
            inline_cache: false,
            extra_hosts: Vec::new(),
            shm_size_bytes: None,
            memory_bytes: None,
            squash: false,
            logins: Vec::new(),
            classic: false,
        }
    }
}

impl std::fmt::Debug for BuildRequest {
    /// Leaves out the values of build arguments and the logins, which may be secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.build_args.iter().map(|(name, _)| name);
        formatter
            .debug_struct("BuildRequest")
            .field("dockerfile", &self.dockerfile)
            .field("tags", &self.tags)
            .field("build_args", &names.collect::<Vec<_>>())
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The image's id.
    pub image_id: String,
}

/// Why a build made nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The Dockerfile, the context or a command in it said no: the user's to mend.
    #[error("{message}")]
    Failed {
        /// What was said.
        message: String,
        /// The exit code of the command, if a command failed.
        exit_code: Option<i64>,
    },
    /// We or the engine could not.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What a push left in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedImage {
    /// The digest of the manifest, `sha256:…`.
    pub digest: String,
}

/// What is kept of an engine's build cache; where nothing is said, all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildCacheBounds {
    /// For how long what builds do not use is kept.
    pub unused_for: Option<Duration>,
    /// How many records are kept, those used last.
    pub records: Option<u64>,
    /// How many bytes are kept, those used last.
    pub bytes: Option<u64>,
}

/// A thing that holds, builds and moves images. Dropping a call's future cancels it.
#[async_trait]
pub trait Images: Send + Sync {
    /// Looks for an image on the engine.
    async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError>;
    /// Pulls an image; once, without trying again.
    async fn pull(
        &self,
        reference: &str,
        platform: Option<&str>,
        login: Option<&RegistryLogin>,
        sink: &dyn Sink,
    ) -> Result<ImageInfo, EngineError>;
    /// Pushes an image; once, without trying again.
    async fn push(
        &self,
        reference: &str,
        login: Option<&RegistryLogin>,
        sink: &dyn Sink,
    ) -> Result<PushedImage, EngineError>;
    /// Packs the layers of an image that no registry may have yet, so that its push has less to do; publishes nothing.
    /// Each goes to `layers` as soon as it is begun. An engine that cannot do so packs none.
    async fn pack(
        &self,
        _reference: &str,
        _layers: mpsc::UnboundedSender<PackedLayer>,
    ) -> Result<(), EngineError> {
        Ok(())
    }
    /// What an image consists of, in the words of a registry's configuration: platform, settings, layers by diff-ids.
    /// An engine that cannot tell gives nothing.
    async fn settings(&self, _reference: &str) -> Result<Option<Value>, EngineError> {
        Ok(None)
    }
    /// Builds an image.
    async fn build(&self, request: &BuildRequest, sink: &dyn Sink) -> Result<Built, BuildError>;
    /// Makes an image of nothing under this name, for containers that are never started; fine when it is there.
    async fn ensure_empty_image(&self, reference: &str) -> Result<(), EngineError>;
    /// Lets the engine forget what of its builds is beyond the bounds, and returns how many bytes that freed.
    async fn prune_builds(&self, bounds: &BuildCacheBounds) -> Result<u64, EngineError>;
}
