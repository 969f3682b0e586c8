//! Folders of this machine, as tar streams.

use std::{io::Read, path::Path, sync::Arc};

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
    /// The same files one by one, where that is possible.
    pub files: Option<Arc<dyn ContextFiles>>,
}

/// The files of a context one by one, for builders that ask only for what they lack. All calls block.
pub trait ContextFiles: Send + Sync {
    /// Names the context, the same each time this place is built from, so that a builder finds what it already has.
    fn key(&self) -> String;
    /// Reads the Dockerfile, which may stand outside of the context: its name without folders, and its text.
    fn dockerfile(&self) -> Result<(String, Vec<u8>), FolderError>;
    /// Lists what is kept, each folder before what is in it, neighbours in the order of their names.
    fn list(&self) -> Result<Vec<ContextEntry>, FolderError>;
    /// Opens a file of the list; `None` if it has gone, or become something else, since then.
    fn open(&self, entry: &ContextEntry) -> Result<Option<Box<dyn Read + Send>>, FolderError>;
}

/// A file, folder or link of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextEntry {
    /// Its path, relative and with forward slashes.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The permission bits, those for set-user-id, set-group-id and sticky among them.
    pub mode: u32,
    /// When its content was last changed, in nanoseconds since 1970.
    pub modified_nanos: i64,
}

/// What an entry of a context is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file of this many bytes.
    File(u64),
    /// A link, with where it points as it is written.
    Link(String),
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
    /// Selects what a build sees of a folder; the Dockerfile may stand outside of it, and be read as if it held
    /// another `text`.
    fn build_context(
        &self,
        folder: &Path,
        dockerfile: &Path,
        text: Option<&str>,
    ) -> Result<BuildContext, FolderError>;
    /// Asks git which commit and branch a folder stands on; `None` without a readable repository.
    fn git(&self, folder: &Path) -> Option<GitInfo>;
    /// Packs files made up in memory: path, mode, content.
    fn files(&self, files: Vec<(String, u32, Vec<u8>)>) -> TarStream;
    /// Unpacks into a folder, refusing everything that would leave it.
    async fn unpack(&self, tar: TarStream, into: &Path) -> Result<(), FolderError>;
}
