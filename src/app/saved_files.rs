//! Files saved from workspaces: one folder per run, listed and fetched by path.

use std::path::{Component, Path, PathBuf};

use super::{App, AppError};

/// A file that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Its path, relative to the run's folder.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

impl App {
    /// Lists what was saved from a run, by path.
    pub fn saved_files(&self, run: &str) -> Result<Vec<SavedFile>, AppError> {
        let root = self.files.join(run);
        let mut found = Vec::new();
        let walk = ignore::WalkBuilder::new(&root)
            .standard_filters(false)
            .follow_links(false)
            .sort_by_file_path(Path::cmp)
            .build();
        for entry in walk.filter_map(Result::ok) {
            let Some(meta) = entry.metadata().ok().filter(std::fs::Metadata::is_file) else {
                continue;
            };
            if let Ok(path) = entry.path().strip_prefix(&root) {
                found.push(SavedFile {
                    path: path.to_path_buf(),
                    bytes: meta.len(),
                });
            }
        }
        Ok(found)
    }

    /// Copies a saved file into a folder and returns where it is now.
    pub fn fetch_file(&self, run: &str, path: &Path, into: &Path) -> Result<PathBuf, AppError> {
        let climbs = path
            .components()
            .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
        let source = self.files.join(run).join(path);
        if climbs || !source.is_file() {
            return Err(AppError::usage(
                format!("run {run} has no saved file {}", path.display()),
                format!("careen runs files {run} lists them"),
            ));
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        let target = into.join(name);
        std::fs::create_dir_all(into)
            .and_then(|()| std::fs::copy(&source, &target))
            .map_err(|error| AppError::Files(format!("{}: {error}", target.display())))?;
        Ok(target)
    }
}
