//! Contexts from elsewhere: git repositories, archives, standard input, and what is kept for reruns.

mod archives;
mod artifacts;
mod caching;
mod git;
mod hostile_git;
mod keeping;
mod runs;
pub mod servers;
mod ssh;

use std::{fs, path::Path, sync::Arc};

use careen::{
    adapters::{
        folder::{Bounds, Cache, Elsewhere},
        registry::{HttpRegistry, Terms},
        web::Web,
    },
    ports::{Access, Contexts, OpenError, Opened},
    spec::context::read,
};
use tempfile::TempDir;

/// A place where contexts are opened.
struct Place {
    folder: TempDir,
    contexts: Elsewhere,
}

impl Place {
    fn new() -> Place {
        Place::with(Bounds::default())
    }

    fn with(bounds: Bounds) -> Place {
        // As in the binary: one provider for everything that speaks TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = TempDir::new().unwrap();
        let cache = Cache::new(folder.path().join("contexts"), 1 << 30);
        let contexts = Elsewhere::new(cache, Arc::new(Web), registry(), bounds);
        Place { folder, contexts }
    }

    /// Opens a context of this machine's servers.
    async fn open(&self, text: &str) -> Result<Opened, OpenError> {
        self.open_with(text, near()).await
    }

    async fn open_with(&self, text: &str, mut access: Access) -> Result<Opened, OpenError> {
        let written = read(text).unwrap();
        access.login = written.login.or(access.login);
        access.query = written.query;
        self.contexts.open(&written.context, &access).await
    }

    /// Lists what is in the cache, whole or not; lock files left out.
    fn entries(&self) -> Vec<String> {
        let root = self.folder.path().join("contexts");
        let mut names = names_in(&root);
        names.extend(names_in(&root.join("drafts")));
        names.retain(|name| !name.ends_with("lock") && name != "drafts" && name != "marks");
        names
    }
}

fn registry() -> Arc<HttpRegistry> {
    Arc::new(HttpRegistry::new(Terms::default()))
}

fn names_in(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Allows the servers of the tests, which are on this machine.
fn near() -> Access {
    Access {
        allow_private: true,
        ..Access::default()
    }
}

/// Reads a file of an open context.
fn text_of(opened: &Opened, name: &str) -> String {
    fs::read_to_string(opened.folder.join(name)).unwrap_or_else(|error| format!("{name}: {error}"))
}

/// Takes the error of what must not open.
fn refusal(opened: Result<Opened, OpenError>) -> OpenError {
    match opened {
        Ok(opened) => panic!("opened {:?}", opened.pin),
        Err(error) => error,
    }
}
