//! What a task file says, checked, with every default filled in.

use super::Step;

/// The version of the task language a file asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `1.0-preview-1`, the language before aliases.
    Preview1,
    /// `v1.0.0`, also when nothing is said.
    #[default]
    V1_0_0,
    /// `v1.1.0`, the first with aliases.
    V1_1_0,
}

/// One `NAME=value` of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// The text before the first `=`.
    pub name: String,
    /// The text after it.
    pub value: String,
}

/// A checked task file: every default filled in, every step with its id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// The version of the language.
    pub version: Version,
    /// The secrets that templates may name, in file order.
    pub secrets: Vec<SecretRef>,
    /// The networks of the file, in file order; empty when the key is absent.
    pub networks: Vec<Network>,
    /// Whether the file has a `networks` list with entries; without one a default bridge is made.
    pub has_networks: bool,
    /// The secret volumes, in file order.
    pub volumes: Vec<Volume>,
    /// The steps, in file order.
    pub steps: Vec<Step>,
}

impl Task {
    /// The network that steps without a `network` of their own join: the last with `isDefault`, if any.
    pub fn default_network(&self) -> Option<&Network> {
        self.networks.iter().rev().find(|n| n.is_default)
    }
}

/// A secret that the file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// The name under which templates see it.
    pub id: String,
    /// The vault address that the file gives, lower-cased.
    pub keyvault: String,
    /// The identity that ACR would have used; accepted and not used.
    pub client_id: Option<String>,
}

/// A network that the file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name, as steps use it.
    pub name: String,
    /// Its driver; only `bridge` (or nothing) is made without being allowed.
    pub driver: Option<String>,
    /// Whether it carries IPv6.
    pub ipv6: bool,
    /// Whether it exists already, outside this run.
    pub skip_creation: bool,
    /// Whether steps without a `network` join it.
    pub is_default: bool,
}

/// A volume that is filled with secret files before the first step.
#[derive(Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name, as mounts use it.
    pub name: String,
    /// File name and content (decoded from base64; one newline is added at its end), in file order.
    pub files: Vec<(String, Vec<u8>)>,
}

impl std::fmt::Debug for Volume {
    /// Prints names and sizes only: the contents are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes = self.files.iter().map(|(name, data)| (name, data.len()));
        f.debug_struct("Volume")
            .field("name", &self.name)
            .field("files", &sizes.collect::<Vec<_>>())
            .finish()
    }
}
