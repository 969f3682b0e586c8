//! Changes of a folder's files, without those that the folder's `.dockerignore` leaves out.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{EventKind, RecommendedWatcher, RecursiveMode},
};
use tokio::sync::mpsc;

use crate::{cli::CliError, dockerignore::Rules};

/// Editors write a file in several steps; what happens in so short a time is one change.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// What says which files do not count.
const IGNORE_FILE: &str = ".dockerignore";

/// Tells when a file of a folder has changed.
pub struct Changes {
    folder: PathBuf,
    /// What careen itself writes, which must not start it again.
    own: Vec<PathBuf>,
    changed: mpsc::UnboundedReceiver<PathBuf>,
    /// Held for as long as changes are to be heard.
    _watcher: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl Changes {
    /// Begins to listen.
    pub fn of(folder: &Path, own: &[PathBuf]) -> Result<Changes, CliError> {
        let cannot = |error: notify_debouncer_full::notify::Error| {
            CliError::usage(
                format!("{} cannot be watched: {error}", folder.display()),
                "On Linux, sysctl fs.inotify.max_user_watches says how many folders can be",
            )
        };
        let (sender, changed) = mpsc::unbounded_channel();
        let told = move |events: DebounceEventResult| {
            let changing = events
                .into_iter()
                .flatten()
                .filter(|it| !matches!(it.event.kind, EventKind::Access(_)));
            for path in changing.flat_map(|it| it.event.paths) {
                // Nobody listens any more when the command ends.
                let _ = sender.send(path);
            }
        };
        let mut watcher = new_debouncer(DEBOUNCE, None, told).map_err(cannot)?;
        watcher
            .watch(folder, RecursiveMode::Recursive)
            .map_err(cannot)?;
        Ok(Changes {
            folder: folder.to_owned(),
            own: own.iter().map(|path| real(path)).collect(),
            changed,
            _watcher: watcher,
        })
    }

    /// Waits for the next change of a file that counts, and says which; all that came with it are the same change.
    pub async fn next(&mut self) -> String {
        while let Some(path) = self.changed.recv().await {
            if self.own.iter().any(|own| path.starts_with(own)) {
                continue;
            }
            let Some(name) = counting(&self.folder, &path) else {
                continue;
            };
            while self.changed.try_recv().is_ok() {}
            return name;
        }
        std::future::pending().await
    }
}

/// A path as changes name it, though it may not be there yet.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().and_then(|it| it.canonicalize().ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

/// The name of a file below the folder, if it counts: what git keeps for itself does not.
fn counting(folder: &Path, path: &Path) -> Option<String> {
    let name = path
        .strip_prefix(folder)
        .ok()?
        .to_string_lossy()
        .replace('\\', "/");
    let is_gits = name == ".git" || name.starts_with(".git/");
    // Read anew each time, for it may be what was saved. One that is wrong ignores nothing; the run says so.
    let text = std::fs::read_to_string(folder.join(IGNORE_FILE)).unwrap_or_default();
    let rules = Rules::parse(&text).unwrap_or_default();
    let is_own = name == IGNORE_FILE;
    (!name.is_empty() && !is_gits && (is_own || !rules.is_ignored(&name))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Changes, IGNORE_FILE, counting};

    #[test]
    fn what_docker_ignores_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(IGNORE_FILE), "target\n*.log\n").unwrap();
        let counts = |name: &str| counting(folder.path(), &folder.path().join(name)).is_some();
        for name in ["src/main.rs", IGNORE_FILE, "acb.yaml"] {
            assert!(counts(name), "{name}");
        }
        for name in ["target/debug/x", "a.log", ".git/HEAD", ".git", ""] {
            assert!(!counts(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_saved_file_is_one_change_however_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let own = [folder.join("careen.db")];
        let mut changes = Changes::of(&folder, &own).unwrap();
        std::fs::write(folder.join("careen.db"), "rows").unwrap();
        std::fs::write(folder.join("a.txt.tmp"), "1").unwrap();
        std::fs::rename(folder.join("a.txt.tmp"), folder.join("a.txt")).unwrap();
        std::fs::write(folder.join("a.txt"), "2").unwrap();
        std::fs::write(folder.join("careen.db"), "more rows").unwrap();
        let first = changes.next().await;
        assert!(first.starts_with("a.txt"), "{first}");
        let wait = std::time::Duration::from_millis(900);
        assert!(tokio::time::timeout(wait, changes.next()).await.is_err());
    }
}
