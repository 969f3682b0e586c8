//! Contexts that lie elsewhere, and those of this machine kept for later, opened as folders.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{GitInfo, Held, RegistryLogin, TarStream};
use crate::spec::context::{ContextRef, GitRef, Login};

/// What a context stood for when it was opened: content that cannot change. It is recorded with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pin {
    /// A commit of a repository.
    Commit {
        /// The repository's address, without a login.
        url: String,
        /// What was asked for: a branch, a tag, a pull request; `HEAD` when nothing was.
        reference: String,
        /// The commit, in full.
        commit: String,
        /// The folder of it that is the context; empty for the whole.
        directory: String,
    },
    /// An archive with this content.
    Archive {
        /// Its address, without login and query; `None` when it came on standard input.
        url: Option<String>,
        /// `sha256:…` of its bytes.
        digest: String,
    },
    /// An artifact of a registry.
    Artifact {
        /// Its name as asked for.
        name: String,
        /// The digest of its manifest.
        digest: String,
    },
    /// A tar archive that was sent to a server; any worker gets it from the object store.
    Upload {
        /// `sha256:…` of its bytes.
        digest: String,
    },
    /// The files of a folder of this machine, as they were kept.
    Folder {
        /// `sha256:…` of their names, modes and contents.
        digest: String,
    },
}

/// By what right a context is opened.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The login of a repository or archive; it is shown to the host of the address alone.
    pub login: Option<Login>,
    /// The host that the login is for, as contexts write it.
    pub login_host: Option<String>,
    /// What belongs behind the `?` of an archive's address.
    pub query: Option<SecretString>,
    /// Logins of registries.
    pub registries: Vec<RegistryLogin>,
    /// Whether hosts with private addresses may be asked.
    pub allow_private: bool,
    /// Whether repositories of this machine may be read.
    pub allow_local: bool,
}

/// A context, open as a folder. Its files stay where they are as long as this lives; nobody may write to them.
pub struct Opened {
    /// Where it is on this machine.
    pub folder: PathBuf,
    /// The folder inside that relative paths begin at; empty for the whole.
    pub directory: String,
    /// What it stands for.
    pub pin: Pin,
    /// Commit and branch, where it came from git.
    pub git: Option<GitInfo>,
    /// What is odd in it, in sentences for people.
    pub remarks: Vec<String>,
    /// Keeps it from being removed.
    pub held: Box<dyn Held>,
}

/// Why a context could not be opened, as kinds that call for different answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenFault {
    /// It is hostile, or asks for what is not allowed.
    Refused,
    /// There is no such thing.
    Missing,
    /// A login is needed, or another one.
    Denied,
    /// What was recorded is not to be had any more.
    Changed,
    /// The network, the other machine or this one could not.
    Machine,
}

/// Why a context could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not open the context {context}: {reason}")]
pub struct OpenError {
    /// The context, as typed, without a login.
    pub context: String,
    /// What is wrong, in words.
    pub reason: String,
    /// What to try, as a sentence; empty when the reason says it all.
    pub hint: String,
    /// What kind of trouble it is.
    pub fault: OpenFault,
}

/// A build of a folder, as far as it says what of the folder is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFiles {
    /// The context of the build, below the folder.
    pub context: PathBuf,
    /// The Dockerfile, below the folder.
    pub dockerfile: PathBuf,
}

/// Opens contexts. Dropping a call's future cancels it and leaves nothing half done.
#[async_trait]
pub trait Contexts: Send + Sync {
    /// Finds out what a context stands for now, and opens that.
    async fn open(&self, context: &ContextRef, access: &Access) -> Result<Opened, OpenError>;
    /// Opens what a context stood for earlier: the same content, or an error.
    async fn reopen(&self, pin: &Pin, access: &Access) -> Result<Opened, OpenError>;
    /// Says where the branches and tags of a repository stand, by their full names; nothing is fetched.
    async fn heads(
        &self,
        git: &GitRef,
        access: &Access,
    ) -> Result<Vec<(String, String)>, OpenError>;
    /// Opens what comes on standard input: an archive, or the text of a Dockerfile alone.
    async fn receive(&self, input: TarStream) -> Result<Opened, OpenError>;
    /// Keeps what a run and these builds see of a folder; `None` if it is more than is kept.
    async fn keep(&self, folder: &Path, builds: &[BuildFiles]) -> Result<Option<Pin>, OpenError>;
}
