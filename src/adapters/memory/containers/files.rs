//! Files in containers and volumes of the engine in memory.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Component, Path, PathBuf},
    sync::MutexGuard,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tar::{Archive, Builder, EntryType, Header};

use crate::ports::{EngineError, MountSource, TarStream};

use super::{
    container::Container,
    state::{State, Volume},
};

/// Files by their path below the root of a container or volume.
pub(super) type Files = BTreeMap<PathBuf, Node>;

/// A file, folder or link.
#[derive(Debug, Clone)]
pub(super) struct Node {
    kind: EntryType,
    mode: u32,
    content: Vec<u8>,
    link: Option<PathBuf>,
}

/// Reads a whole archive; an error of its source is the call's error.
pub(super) async fn gather(tar: TarStream) -> Result<Vec<u8>, EngineError> {
    let pieces: io::Result<Vec<Bytes>> = tar.try_collect().await;
    let pieces = pieces.map_err(|error| EngineError::Other(error.to_string()))?;
    Ok(pieces.concat())
}

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
        if found.is_empty() && !self.is_folder(container, &wanted) {
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
        let node = Node {
            kind: EntryType::Regular,
            mode: 0o644,
            content: text.as_bytes().to_vec(),
            link: None,
        };
        self.put(container, &absolute(path), node);
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
                .any(|(of, node)| of.starts_with(path) && (of != path || node.kind.is_dir()))
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

/// The path without `.` and with `..` taken off; it never leaves the root.
fn absolute(path: &str) -> PathBuf {
    let mut absolute = PathBuf::from("/");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => absolute.push(name),
            Component::ParentDir => {
                absolute.pop();
            }
            _ => {}
        }
    }
    absolute
}

fn read_archive(tar: &[u8]) -> io::Result<Vec<(PathBuf, Node)>> {
    let mut nodes = Vec::new();
    for entry in Archive::new(tar).entries()? {
        let mut entry = entry?;
        let below = absolute(&entry.path()?.to_string_lossy());
        let mut node = Node {
            kind: entry.header().entry_type(),
            mode: entry.header().mode()?,
            content: Vec::new(),
            link: entry.link_name()?.map(|link| link.into_owned()),
        };
        entry.read_to_end(&mut node.content)?;
        nodes.push((
            below.strip_prefix("/").unwrap_or(&below).to_path_buf(),
            node,
        ));
    }
    Ok(nodes)
}

fn write_archive(base: &Path, root: &Path, nodes: &[(PathBuf, Node)]) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (path, node) in nodes {
        let below = path.strip_prefix(root).unwrap_or(path);
        let name = if below.as_os_str().is_empty() {
            base.to_path_buf()
        } else {
            base.join(below)
        };
        let mut header = Header::new_gnu();
        header.set_entry_type(node.kind);
        header.set_mode(node.mode);
        header.set_size(node.content.len() as u64);
        match &node.link {
            Some(link) => builder.append_link(&mut header, name, link)?,
            None => builder.append_data(&mut header, name, &node.content[..])?,
        }
    }
    builder.into_inner()
}
