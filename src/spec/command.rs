//! A `cmd` property, split into docker-run options, image and arguments.

use super::EnvVar;

/// Something a step asks for that opens the host or leaves the run; the user must allow it by flag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grant {
    /// `--allow privileged`.
    Privileged,
    /// `--allow docker-socket`.
    DockerSocket,
    /// `--allow host-network`.
    HostNetwork,
    /// `--allow external-network=NAME`.
    ExternalNetwork(String),
    /// `--allow host-path=DIR`.
    HostPath(String),
    /// `--allow private-address`: contexts may be got from hosts that are not on the public internet.
    PrivateAddress,
    /// `--allow local-repository`: git repositories of this machine may be contexts by their `file://` address.
    LocalRepository,
}

impl Grant {
    /// Reads a grant as `--allow` takes it.
    pub fn parse(word: &str) -> Option<Self> {
        match (word.split_once('='), word) {
            (None, "privileged") => Some(Grant::Privileged),
            (None, "docker-socket") => Some(Grant::DockerSocket),
            (None, "host-network") => Some(Grant::HostNetwork),
            (None, "private-address") => Some(Grant::PrivateAddress),
            (None, "local-repository") => Some(Grant::LocalRepository),
            (Some(("external-network", name)), _) if !name.is_empty() => {
                Some(Grant::ExternalNetwork(name.to_owned()))
            }
            (Some(("host-path", dir)), _) if dir.starts_with('/') => {
                Some(Grant::HostPath(dir.to_owned()))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Grant {
    /// Prints the grant as `--allow` takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Grant::Privileged => f.write_str("privileged"),
            Grant::DockerSocket => f.write_str("docker-socket"),
            Grant::HostNetwork => f.write_str("host-network"),
            Grant::ExternalNetwork(name) => write!(f, "external-network={name}"),
            Grant::HostPath(dir) => write!(f, "host-path={dir}"),
            Grant::PrivateAddress => f.write_str("private-address"),
            Grant::LocalRepository => f.write_str("local-repository"),
        }
    }
}

/// Where a mounted folder comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeSource {
    /// A volume of this run by its name in the file; made when a step first names it.
    Named(String),
    /// A nameless volume.
    Anonymous,
    /// A folder of the host; needs `--allow host-path=DIR`.
    HostPath(String),
}

/// One `-v` option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeUse {
    /// Where it comes from.
    pub source: VolumeSource,
    /// Where it appears in the container, absolute.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// The protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `tcp`, also when nothing is said.
    Tcp,
    /// `udp`.
    Udp,
    /// `sctp`.
    Sctp,
}

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// The address to listen on; 127.0.0.1 unless one is written.
    pub host_address: String,
    /// The port to listen on; `None` lets the engine choose.
    pub host_port: Option<u16>,
    /// The port inside the container.
    pub container_port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// A `cmd` property: docker-run options, the image, its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// The property as written (after templates and aliases).
    pub text: String,
    /// The image reference, as written.
    pub image: String,
    /// The words after the image.
    pub arguments: Vec<String>,
    /// `-e`, `--env`; `None` as value takes nothing from anywhere and is dropped with a warning.
    pub env: Vec<EnvVar>,
    /// `-v`, `--volume`, `--mount`.
    pub volumes: Vec<VolumeUse>,
    /// `-w`, `--workdir`.
    pub working_directory: Option<String>,
    /// `-u`, `--user`.
    pub user: Option<String>,
    /// `--entrypoint`.
    pub entry_point: Option<String>,
    /// `--network`, `--net`, as written.
    pub network: Option<String>,
    /// `--network-alias`.
    pub network_aliases: Vec<String>,
    /// `-p`, `--publish`.
    pub ports: Vec<PortMapping>,
    /// `--expose`.
    pub expose: Vec<(u16, Option<Protocol>)>,
    /// `-m`, `--memory`, in bytes.
    pub memory_bytes: Option<u64>,
    /// `--cpus`, in billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// `--pids-limit`.
    pub pids_limit: Option<i64>,
    /// `--shm-size`, in bytes.
    pub shm_size_bytes: Option<u64>,
    /// `--read-only`.
    pub read_only: bool,
    /// `--tmpfs`: folder and options.
    pub tmpfs: Vec<(String, String)>,
    /// `--add-host`, each as `host:address`.
    pub extra_hosts: Vec<String>,
    /// `--platform`.
    pub platform: Option<String>,
    /// `--hostname`, `-h`.
    pub hostname: Option<String>,
    /// `-l`, `--label`.
    pub labels: Vec<(String, String)>,
    /// `--cap-drop`.
    pub cap_drop: Vec<String>,
    /// `--stop-signal`.
    pub stop_signal: Option<String>,
    /// `--init`.
    pub init: bool,
    /// `-t`, `--tty`.
    pub tty: bool,
    /// `-i`, `--interactive`: standard input is open and empty.
    pub interactive: bool,
    /// `-d`, `--detach`.
    pub detach: bool,
    /// `--privileged`.
    pub privileged: bool,
    /// `--pull always`.
    pub pull: bool,
    /// What the options need to be allowed, with the words that ask for it.
    pub grants: Vec<Grant>,
}
