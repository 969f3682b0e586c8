//! Folders of this machine, as tar streams.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;

use super::TarStream;

/// Makes a tar stream, anew at each call.
pub type TarSource = Arc<dyn Fn() -> TarStream + Send + Sync>;

/// What a build is made from.
#[derive(Clone)]
pub struct BuildContext {
    /// The files, ignore rules applied.
    pub tar: TarSource,
    /// The Dockerfile's path inside.
    pub dockerfile: String,
}

/// What git says of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitInfo {
    /// The commit that is checked out.
    pub commit: String,
    /// The branch; `HEAD` when none is checked out.
    pub branch: String,
}

/// Why a folder cannot be used, in words that name the path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FolderError(pub String);

/// Reads and writes folders of this machine.
#[async_trait]
pub trait Folders: Send + Sync {
    /// Packs a folder for `/workspace`, ignore rules applied.
    fn workspace(&self, folder: &Path) -> Result<TarStream, FolderError>;
    /// Selects what a build sees of a folder; the Dockerfile may stand outside of it.
    fn build_context(&self, folder: &Path, dockerfile: &Path) -> Result<BuildContext, FolderError>;
    /// Asks git which commit and branch a folder stands on; `None` without a readable repository.
    fn git(&self, folder: &Path) -> Option<GitInfo>;
    /// Packs files made up in memory: path, mode, content.
    fn files(&self, files: Vec<(String, u32, Vec<u8>)>) -> TarStream;
    /// Unpacks into a folder, refusing everything that would leave it.
    async fn unpack(&self, tar: TarStream, into: &Path) -> Result<(), FolderError>;
}
