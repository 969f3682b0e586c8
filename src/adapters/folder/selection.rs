//! What of a folder is sent: its walk by rules, and files added to it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{ContextError, Hidden, Walk, hash, pack, stream::stream_of};
use crate::{dockerignore::Rules, ports::TarStream};

/// Takes remarks that stop nothing, such as a socket that was left out; each a lowercase sentence for people.
pub type Notes = Arc<dyn Fn(String) + Send + Sync>;

/// Part of a folder, chosen by ignore rules.
#[derive(Debug, Clone)]
pub struct Selection {
    root: PathBuf,
    hidden: Hidden,
    rules: Arc<Rules>,
    /// Files by name that stand in the archive in place of, or beside, those of the folder.
    added: BTreeMap<String, Vec<u8>>,
}

impl Selection {
    pub(super) fn new(
        (root, hidden): (PathBuf, Hidden),
        rules: Rules,
        added: BTreeMap<String, Vec<u8>>,
    ) -> Selection {
        Selection {
            root,
            hidden,
            rules: Arc::new(rules),
            added,
        }
    }

    /// Begins a walk over the selected files of the folder; blocking.
    pub fn walk(&self) -> Result<Walk, ContextError> {
        let place = (self.root.clone(), self.hidden.clone());
        Walk::new(place, Arc::clone(&self.rules))
    }

    /// Packs the selection on a thread of its own, as fast as the stream is read; memory stays flat. Dropping the
    /// stream ends the thread. Must be called within a tokio runtime.
    pub fn tar_stream(self, notes: Notes) -> TarStream {
        stream_of(move |writer| pack::pack(&self, &notes, writer))
    }

    /// Hashes names, kinds, modes and contents, as `sha256:…`; blocking. Owners and times do not count.
    pub fn content_hash(&self) -> Result<String, ContextError> {
        hash::content_hash(self)
    }

    /// Names the folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn added(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let pair = |(name, content)| (String::as_str(name), Vec::as_slice(content));
        self.added.iter().map(pair)
    }

    /// Tells whether an added file stands in place of this one.
    pub(super) fn replaces(&self, path: &Path) -> bool {
        path.to_str()
            .is_some_and(|name| self.added.contains_key(name))
    }
}
