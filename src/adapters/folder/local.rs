//! The port for folders, filled with those of this machine.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;

use super::{
    Caps, ContextError, Folder, Hidden, Notes, describe, files::Files, pack_files, unpack,
};
use crate::ports::{BuildContext, FolderError, Folders, GitInfo, TarStream};

/// Reads and writes folders of this machine.
#[derive(Clone)]
pub struct LocalFolders {
    notes: Notes,
    caps: Caps,
    hidden: Hidden,
}

impl LocalFolders {
    /// Takes where remarks go, and how much an archive may unpack to.
    pub fn new(notes: Notes, caps: Caps) -> LocalFolders {
        let hidden = Hidden::default();
        LocalFolders {
            notes,
            caps,
            hidden,
        }
    }

    /// Leaves these paths out of every context.
    pub fn without(self, hidden: Hidden) -> LocalFolders {
        LocalFolders { hidden, ..self }
    }
}

#[async_trait]
impl Folders for LocalFolders {
    fn workspace(&self, folder: &Path) -> Result<TarStream, FolderError> {
        let selection = Folder::open(folder)?.without(&self.hidden).run_context()?;
        Ok(selection.tar_stream(Arc::clone(&self.notes)))
    }

    fn build_context(
        &self,
        folder: &Path,
        dockerfile: &Path,
        text: Option<&str>,
    ) -> Result<BuildContext, FolderError> {
        let opened = Folder::open(folder)?.without(&self.hidden);
        let built = opened.build_context_by(dockerfile, text)?;
        let notes = Arc::clone(&self.notes);
        let files = Files::new(built.files, dockerfile, Arc::clone(&notes)).with_text(text);
        let selection = built.selection;
        Ok(BuildContext {
            tar: Arc::new(move || selection.clone().tar_stream(Arc::clone(&notes))),
            dockerfile: built.dockerfile,
            files: Some(Arc::new(files)),
        })
    }

    fn git(&self, folder: &Path) -> Option<GitInfo> {
        let checkout = describe(folder).unwrap_or_else(|error| {
            (self.notes)(error.to_string());
            None
        })?;
        Some(GitInfo {
            commit: checkout.commit?,
            branch: checkout.branch,
        })
    }

    fn files(&self, files: Vec<(String, u32, Vec<u8>)>) -> TarStream {
        pack_files(files)
    }

    async fn unpack(&self, tar: TarStream, into: &Path) -> Result<(), FolderError> {
        match unpack(tar, into, self.caps).await {
            Ok(_) => Ok(()),
            Err(error) => Err(FolderError(error.to_string())),
        }
    }
}

impl From<ContextError> for FolderError {
    fn from(error: ContextError) -> FolderError {
        FolderError(error.to_string())
    }
}
