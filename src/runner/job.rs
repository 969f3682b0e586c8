//! All that a runner needs to know about one run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use secrecy::SecretString;
use serde_json::Value;

use crate::{
    engine::Settings,
    plan::Plan,
    ports::{
        Access, Clock, Containers, Contexts, Credential, Folders, FrameStore, Images, Keyring,
        Lease, Pin, Registry, RegistryLogin, Right, RunRow, RunStore,
    },
    spec::{Grant, StepKind, reference::Reference},
};

/// The outside, as the runner sees it.
#[derive(Clone)]
pub struct Ports {
    /// Runs containers.
    pub containers: Arc<dyn Containers>,
    /// Holds, builds and moves images.
    pub images: Arc<dyn Images>,
    /// Speaks to registries.
    pub registry: Arc<dyn Registry>,
    /// Keeps runs.
    pub store: Arc<dyn RunStore>,
    /// Keeps logs.
    pub frames: Arc<dyn FrameStore>,
    /// Reads and writes folders.
    pub folders: Arc<dyn Folders>,
    /// Opens contexts that lie elsewhere.
    pub contexts: Arc<dyn Contexts>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// What each step's container may use, unless its `cmd` says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Processes and threads.
    pub pids: Option<i64>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
}

/// Files to save from the workspace when the run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRequest {
    /// A path in the workspace.
    pub source: String,
    /// The folder of this machine to copy it into: a file itself, or the contents of a folder.
    pub folder: PathBuf,
    /// The folder in which the run keeps a copy, under the same path as in the workspace.
    pub kept: PathBuf,
}

/// A run that is ready to be driven.
pub struct Job {
    /// The run's summary as it stands.
    pub run: RunRow,
    /// The claim on it.
    pub lease: Lease,
    /// When that was asked for.
    pub leased_at: tokio::time::Instant,
    /// What to run.
    pub plan: Arc<Plan>,
    /// Limits on the whole run.
    pub settings: Settings,
    /// The context, a folder of this machine; `None` leaves the workspace empty.
    pub context: Option<PathBuf>,
    /// By what right contexts of builds are opened.
    pub access: Access,
    /// What contexts of builds stood for in the run that this one repeats.
    pub pins: BTreeMap<String, Pin>,
    /// The digests that builds take for their bases, by complete name; all else is looked up.
    pub bases: BTreeMap<String, String>,
    /// The name by which steps may know the volume behind the workspace.
    pub shared_volume: String,
    /// The run's registry, for `ACR_DEFAULT_REGISTRY`.
    pub registry: Option<String>,
    /// Credentials for registries, one for each host, for what can be told only hosts.
    pub logins: Vec<RegistryLogin>,
    /// Credentials for registries, by repository.
    pub keyring: Keyring,
    /// What the user allowed.
    pub granted: BTreeSet<Grant>,
    /// What containers may use.
    pub limits: Limits,
    /// Values that must not show in logs or messages.
    pub secrets: Vec<SecretString>,
    /// What to save at the end.
    pub outputs: Vec<OutputRequest>,
    /// Steps that an earlier run did and that are not done again.
    pub kept: Vec<Kept>,
    /// Whether builds that say nothing else keep their cache in the registry.
    pub shares_cache: bool,
}

/// A step that an earlier run did.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The step.
    pub step: u32,
    /// The run that did it.
    pub run: String,
    /// What it used and made.
    pub images: Value,
}

impl Job {
    /// Finds the credential for what is to be done with an image.
    pub(super) async fn credential(&self, image: &str, right: Right) -> Option<Credential> {
        let image = Reference::parse(image).ok()?;
        self.keyring.find(&image, right).await
    }

    /// Lists the logins that steps may see: those for registries that the task names.
    pub(super) fn visible_logins(&self) -> Vec<RegistryLogin> {
        let images = named_images(&self.plan, self.registry.as_deref());
        self.keyring.only_for(&images)
    }

    /// Says whether every step gets the Docker socket.
    pub(super) fn has_docker_socket(&self) -> bool {
        self.granted.contains(&Grant::DockerSocket)
    }
}

/// Lists the images that a plan names: what steps run, build and push, and something of the run's registry.
pub fn named_images(plan: &Plan, registry: Option<&str>) -> Vec<Reference> {
    let words = plan.steps().iter().flat_map(|step| match &step.kind {
        StepKind::Cmd(command) => vec![command.image.as_str()],
        StepKind::Build(build) => build
            .tags
            .iter()
            .chain(&build.cache_from)
            .map(String::as_str)
            .collect(),
        StepKind::Push(push) => push.images.iter().map(String::as_str).collect(),
    });
    let of_registry = registry.map(|host| format!("{host}/any"));
    words
        .map(str::to_owned)
        .chain(of_registry)
        .filter_map(|it| Reference::parse(&it).ok())
        .collect()
}
