//! What no context holds, whatever its rules say: careen's own files, which would nest in each other run by run.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Paths that no context holds.
#[derive(Debug, Clone, Default)]
pub struct Hidden(Arc<BTreeSet<PathBuf>>);

impl Hidden {
    /// Takes files and folders of this machine; those that are not there yet are looked for at each use.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Hidden {
        Hidden(Arc::new(paths.into_iter().collect()))
    }

    /// Those of them that are below a folder, relative to it; links on the way to them are followed.
    pub(super) fn below(&self, root: &Path) -> Hidden {
        let real = self.0.iter().filter_map(|path| fs::canonicalize(path).ok());
        let below = real.filter_map(|path| path.strip_prefix(root).ok().map(Path::to_owned));
        Hidden::new(below.filter(|path| !path.as_os_str().is_empty()))
    }

    /// Says whether this path is one of them.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.0.contains(path)
    }
}
