//! Files into and out of the containers and volumes of the engine in memory.

use std::{
    path::{Path, PathBuf},
    sync::MutexGuard,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::ports::{EngineError, MountSource, TarStream};

use super::{
    container::Container,
    files::{Files, Node, absolute, read_archive, write_archive},
    state::{State, Volume},
};

impl State {
    /// Unpacks an archive into a folder of a container.
    pub(super) fn unpack(
        &mut self,
        container: &Container,
        folder: &str,
        tar: &[u8],
    ) -> Result<(), EngineError> {
        let folder = absolute(folder);
        if !self.is_folder(container, &folder) {
            return Err(EngineError::NotFound(format!(
                "{} in {}",
                folder.display(),
                container.spec.name
            )));
        }
        let nodes = read_archive(tar).map_err(|error| EngineError::Other(error.to_string()))?;
        for (path, node) in nodes {
            self.put(container, &folder.join(path), node);
        }
        Ok(())
    }

    /// Packs a file or folder of a container; a path that ends in `/.` means what is in the folder.
    pub(super) fn pack(&self, container: &Container, path: &str) -> Result<TarStream, EngineError> {
        let wanted = absolute(path);
        let base = match wanted.file_name() {
            Some(name) if !path.ends_with("/.") => PathBuf::from(name),
            _ => PathBuf::from("."),
        };
        let found: Vec<_> = self
            .all(container)
            .into_iter()
            .filter(|(path, _)| path.starts_with(&wanted))
            .collect();
        let is_nothing = found.is_empty() || path.ends_with("/.");
        if is_nothing && !self.is_folder(container, &wanted) {
            return Err(EngineError::NotFound(format!(
                "{path} in {}",
                container.spec.name
            )));
        }
        let archive = write_archive(&base, &wanted, &found)
            .map_err(|error| EngineError::Other(error.to_string()))?;
        Ok(stream::iter([Ok(Bytes::from(archive))]).boxed())
    }

    /// Writes a file as the container itself would.
    pub(super) fn write(&mut self, container: &Container, path: &str, text: &str) {
        self.put(container, &absolute(path), Node::text(text));
    }

    fn put(&mut self, container: &Container, path: &Path, node: Node) {
        match mounted(container, path) {
            Some((volume, target)) => {
                let below = path.strip_prefix(target).unwrap_or(path).to_path_buf();
                let volume: &mut Volume = self.volumes.entry(volume.to_string()).or_default();
                volume.files.insert(below, node);
            }
            None => {
                own_files(container).insert(path.to_path_buf(), node);
            }
        }
    }

    fn is_folder(&self, container: &Container, path: &Path) -> bool {
        let is_mounted = container
            .spec
            .mounts
            .iter()
            .any(|mount| absolute(&mount.target) == path);
        let is_of_image = ["/", "/tmp", "/root", "/etc"]
            .iter()
            .any(|folder| Path::new(folder) == path);
        let leads_to_file = || {
            let all = self.all(container);
            all.iter()
                .any(|(of, node)| of.starts_with(path) && (of != path || node.is_folder()))
        };
        is_mounted || is_of_image || leads_to_file()
    }

    /// Everything that the container sees, by absolute path.
    fn all(&self, container: &Container) -> Files {
        let mut all = own_files(container).clone();
        for mount in &container.spec.mounts {
            if let MountSource::Volume(name) = &mount.source
                && let Some(volume) = self.volumes.get(name)
            {
                let files = volume.files.iter();
                all.extend(
                    files.map(|(path, node)| (absolute(&mount.target).join(path), node.clone())),
                );
            }
        }
        all
    }
}

fn own_files(container: &Container) -> MutexGuard<'_, Files> {
    container
        .files
        .lock()
        .unwrap_or_else(|poison| poison.into_inner())
}

/// The volume that lies at this path, with its target.
fn mounted<'a>(container: &'a Container, path: &Path) -> Option<(&'a str, PathBuf)> {
    let mounts = container.spec.mounts.iter();
    let volumes = mounts.filter_map(|mount| match &mount.source {
        MountSource::Volume(name) => Some((name.as_str(), absolute(&mount.target))),
        _ => None,
    });
    let around = volumes.filter(|(_, target)| path.starts_with(target));
    around.max_by_key(|(_, target)| target.components().count())
}
