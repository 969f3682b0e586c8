//! What can be wrong with a folder, or with an archive that should become one.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::dockerignore;

/// Why a folder cannot serve as a context. `Display` is a lowercase fragment that fits after "could not …: ".
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Nothing is there.
    #[error("the folder {} does not exist", .0.display())]
    Missing(PathBuf),
    /// A file, where a folder is needed.
    #[error("{} is not a folder; a context is a folder", .0.display())]
    NotAFolder(PathBuf),
    /// This user may not read it.
    #[error("no permission to read {}", .0.display())]
    NoPermission(PathBuf),
    /// Reading failed.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// What was read.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The build has no Dockerfile.
    #[error("the Dockerfile {} does not exist or is not a file", .0.display())]
    NoDockerfile(PathBuf),
    /// The ignore file is wrong.
    #[error("{}: {reason}", path.display())]
    IgnoreFile {
        /// The ignore file.
        path: PathBuf,
        /// What is wrong in it.
        reason: dockerignore::Error,
    },
    /// Git has a repository there and will not, or cannot, read it.
    #[error("git does not read the repository of {}: {reason}", path.display())]
    Git {
        /// The folder.
        path: PathBuf,
        /// What git said.
        reason: String,
    },
}

impl ContextError {
    /// Says what failed while a path was read.
    pub(super) fn reading(path: &Path, reason: io::Error) -> ContextError {
        let path = path.to_owned();
        match reason.kind() {
            io::ErrorKind::PermissionDenied => ContextError::NoPermission(path),
            _ => ContextError::Unreadable { path, reason },
        }
    }
}

impl From<ContextError> for io::Error {
    fn from(error: ContextError) -> io::Error {
        io::Error::other(error.to_string())
    }
}

/// Why an archive was not unpacked to its end.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// An entry that would reach out of the folder, or is nothing that a folder of files should hold.
    #[error("the archive is refused: \"{}\" {reason}", name.escape_debug())]
    Refused {
        /// The entry's name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More entries than allowed.
    #[error("the archive is refused: it has more than {0} entries")]
    TooManyEntries(u64),
    /// More bytes than allowed.
    #[error("the archive is refused: it unpacks to more than {0} bytes")]
    TooManyBytes(u64),
    /// The archive is broken, or its stream is.
    #[error("the archive cannot be read: {0}")]
    Archive(io::Error),
    /// The disk said no.
    #[error("{} cannot be written: {reason}", path.display())]
    Write {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

impl UnpackError {
    /// Says that a path could not be written.
    pub(super) fn writing(path: &Path) -> impl FnOnce(io::Error) -> UnpackError {
        let path = path.to_owned();
        move |reason| UnpackError::Write { path, reason }
    }
}
