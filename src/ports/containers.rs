//! A thing that runs containers.
//!
//! The life of a container: `create`, `start`, `output` and `wait` side by side, `remove`. Networks and volumes are
//! made before the containers that use them and removed after. All calls may run at once; `stop`, `kill`, `remove`,
//! `remove_network` and `remove_volume` are fine to call twice, and fine when the thing is gone.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

/// Labels of an object of the engine.
pub type Labels = BTreeMap<String, String>;

/// Bytes of a tar archive, in pieces.
pub type TarStream = BoxStream<'static, std::io::Result<Bytes>>;

/// What a container wrote, as it comes.
pub type OutputStream = BoxStream<'static, Result<Output, EngineError>>;

/// What the engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its own id, the same after a restart.
    pub id: String,
    /// The host's name.
    pub name: String,
    /// Its version, such as `20.10.24`.
    pub version: String,
    /// The API version agreed on, such as `1.41`.
    pub api_version: String,
    /// `linux`, or another.
    pub os: String,
    /// The kernel's version.
    pub os_version: String,
    /// The architecture in image terms, such as `amd64`.
    pub architecture: String,
    /// The CPUs it may use.
    pub cpus: u32,
    /// The memory it may use, in bytes.
    pub memory_bytes: u64,
    /// When it started, if that can be told: a container that ended before may have been ended by the engine's stop.
    pub started_at: Option<DateTime<Utc>>,
}

/// Which of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output, and everything of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of what a container wrote: whole lines, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it was written.
    pub stream: Stream,
    /// The engine's time stamp, in nanoseconds since 1970.
    pub at_nanos: i64,
    /// The bytes, line ends included.
    pub bytes: Bytes,
}

/// Where to take up the streams again: everything stamped so or later is wanted, and more does no harm, because the
/// caller drops what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Since {
    /// A time stamp, in nanoseconds since 1970; 0 is the beginning.
    pub at_nanos: i64,
}

/// Where a mount comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A volume, by its full name.
    Volume(String),
    /// A nameless volume that goes with the container.
    Anonymous,
    /// A folder or socket of the host.
    Host(String),
    /// Memory, with docker's option text.
    Tmpfs(String),
}

/// One mount of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it comes from.
    pub source: MountSource,
    /// Where it appears, absolute.
    pub target: String,
    /// Whether it may only be read.
    pub read_only: bool,
    /// Whether an empty volume stays as it is, instead of getting what the image has at the target.
    pub no_copy: bool,
}

/// What a container's network is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NetworkMode {
    /// No network at all.
    None,
    /// The engine's default bridge.
    #[default]
    Bridge,
    /// The host's own network.
    Host,
    /// A network by its full name, with the names under which others find the container.
    Named {
        /// The full name.
        name: String,
        /// The names.
        aliases: Vec<String>,
    },
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPort {
    /// The address to listen on.
    pub host_address: String,
    /// The port to listen on; `None` lets the engine choose.
    pub host_port: Option<u16>,
    /// The port inside, such as `80/tcp`.
    pub container_port: String,
}

/// What a container may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// Processes and threads.
    pub pids: Option<i64>,
    /// Size of `/dev/shm` in bytes.
    pub shm_size_bytes: Option<u64>,
}

/// A container to make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerSpec {
    /// Its full name.
    pub name: String,
    /// The image.
    pub image: String,
    /// Its labels.
    pub labels: Labels,
    /// The words after the image; empty uses the image's own.
    pub command: Vec<String>,
    /// The entry point; `None` uses the image's own.
    pub entry_point: Option<Vec<String>>,
    /// `NAME=value` each; a later one wins.
    pub env: Vec<String>,
    /// The working directory; `None` uses the image's own.
    pub working_directory: Option<String>,
    /// The user; `None` uses the image's own.
    pub user: Option<String>,
    /// The host name; `None` lets the engine choose.
    pub hostname: Option<String>,
    /// The mounts.
    pub mounts: Vec<Mount>,
    /// The network.
    pub network: NetworkMode,
    /// Ports to expose, such as `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Ports to publish.
    pub published_ports: Vec<PublishedPort>,
    /// Lines for `/etc/hosts`, each as `host:address`.
    pub extra_hosts: Vec<String>,
    /// What it may use.
    pub limits: Limits,
    /// Whether it gets all rights of the host.
    pub privileged: bool,
    /// Capabilities to take away.
    pub cap_drop: Vec<String>,
    /// Whether its root file system may only be read.
    pub read_only: bool,
    /// Whether a small init is process 1.
    pub init: bool,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Whether standard input is open (and empty).
    pub open_stdin: bool,
    /// The signal that asks it to stop; `None` uses the image's own.
    pub stop_signal: Option<String>,
    /// The platform, such as `linux/arm64`.
    pub platform: Option<String>,
}

/// A network to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its full name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its driver; `None` is `bridge`.
    pub driver: Option<String>,
    /// Whether it carries IPv6.
    pub ipv6: bool,
}

/// A volume to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Its full name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The exit code.
    pub code: i64,
    /// Whether the kernel ended it for want of memory.
    pub out_of_memory: bool,
    /// When it ended, by the engine's clock.
    pub at: Option<DateTime<Utc>>,
}

/// The state of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Made, never started.
    Created,
    /// Running; with the health that its check reports, if it has one.
    Running {
        /// `None` without a health check or before its first result.
        healthy: Option<bool>,
    },
    /// Ended.
    Exited(Exit),
}

/// What inspecting a container shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    /// The engine's id.
    pub id: String,
    /// Its full name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// The id of the image it was made from.
    pub image_id: String,
    /// The state.
    pub state: State,
}

/// A kind of object of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

/// An object found by its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which kind it is.
    pub resource: Resource,
    /// The engine's id (a volume's name).
    pub id: String,
    /// Its full name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

/// Why the engine could not do it. `Display` is a lowercase fragment that fits after "could not …: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers.
    #[error("no Docker Engine answers at {address}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What the connection said.
        reason: String,
    },
    /// The socket may not be opened by this user.
    #[error("no permission to use the Docker Engine at {address}")]
    PermissionDenied {
        /// The socket.
        address: String,
    },
    /// Somebody answers, but does not let us in, or cannot be spoken with in this way.
    #[error("the Docker Engine at {address} cannot be used: {reason}")]
    Barred {
        /// Where it was looked for.
        address: String,
        /// What was said.
        reason: String,
        /// What to do about it.
        advice: String,
    },
    /// The connection broke in mid-call: the engine may have stopped.
    #[error("the engine was restarted or stopped: {0}")]
    Broken(String),
    /// The image is neither here nor in its registry.
    #[error("image {reference} not found: {reason}")]
    ImageNotFound {
        /// The image.
        reference: String,
        /// What the engine or registry said.
        reason: String,
    },
    /// The registry wants other credentials.
    #[error("registry refused {reference}: {reason}")]
    Unauthorized {
        /// The image.
        reference: String,
        /// What the registry said.
        reason: String,
    },
    /// The registry cannot be reached or is out of order; worth another try.
    #[error("registry cannot be reached for {reference}: {reason}")]
    RegistryUnreachable {
        /// The image.
        reference: String,
        /// What was said.
        reason: String,
    },
    /// A name is taken.
    #[error("the name {0} is taken")]
    NameConflict(String),
    /// Something still uses what is to be removed.
    #[error("{0}")]
    InUse(String),
    /// A host port is taken.
    #[error("port {port} is taken{}", .holder.as_ref().map(|h| format!(" by {h}")).unwrap_or_default())]
    PortTaken {
        /// The address and port.
        port: String,
        /// Who holds it, if that could be found out.
        holder: Option<String>,
    },
    /// The command is not in the image: exit code 127.
    #[error("command not found: {0}")]
    CommandNotFound(String),
    /// The command cannot be executed: exit code 126.
    #[error("command cannot be executed: {0}")]
    CommandNotExecutable(String),
    /// The container, network, volume or file is not there.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The disk is full.
    #[error("no space left on the engine's disk: {0}")]
    DiskFull(String),
    /// Anything else, in the engine's words.
    #[error("{0}")]
    Other(String),
}

/// A thing that runs containers; see the head of this file for the order of calls.
#[async_trait]
pub trait Containers: Send + Sync {
    /// Asks who the engine is; fails when none answers.
    async fn info(&self) -> Result<EngineInfo, EngineError>;

    /// Makes a network and returns its id.
    async fn create_network(&self, network: &NetworkSpec) -> Result<String, EngineError>;
    /// Removes a network; fine when it is gone.
    async fn remove_network(&self, name: &str) -> Result<(), EngineError>;
    /// Makes a volume; fine when it is there with the same labels.
    async fn create_volume(&self, volume: &VolumeSpec) -> Result<(), EngineError>;
    /// Removes a volume; fine when it is gone.
    async fn remove_volume(&self, name: &str) -> Result<(), EngineError>;

    /// Makes a container (never with auto-remove; log driver json-file without rotation) and returns its id.
    async fn create(&self, container: &ContainerSpec) -> Result<String, EngineError>;
    /// Starts a container.
    async fn start(&self, id: &str) -> Result<(), EngineError>;
    /// Follows what a started container writes, from `since` on, to its end.
    fn output(&self, id: &str, since: Since) -> OutputStream;
    /// Waits until a started container has ended.
    async fn wait(&self, id: &str) -> Result<Exit, EngineError>;
    /// Looks at a container; `None` when there is none of that name or id.
    async fn inspect(&self, id: &str) -> Result<Option<ContainerState>, EngineError>;
    /// Asks a container to stop and kills it after `grace`; fine when it has ended or is gone.
    async fn stop(&self, id: &str, grace: Duration) -> Result<(), EngineError>;
    /// Removes a container by force, with its nameless volumes; fine when it is gone.
    async fn remove(&self, id: &str) -> Result<(), EngineError>;
    /// Finds all objects that bear all these labels.
    async fn list(&self, resource: Resource, labels: &Labels) -> Result<Vec<Found>, EngineError>;

    /// Unpacks a tar archive into a folder of a container, running or not.
    async fn upload(&self, id: &str, folder: &str, tar: TarStream) -> Result<(), EngineError>;
    /// Packs a file or folder of a container into a tar archive.
    async fn download(&self, id: &str, path: &str) -> Result<TarStream, EngineError>;
}
