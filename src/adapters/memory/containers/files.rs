//! Files as the engine in memory keeps them, and archives of them.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use tar::{Archive, Builder, EntryType, Header};

use crate::ports::{EngineError, TarStream};

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

impl Node {
    /// A file of text.
    pub(super) fn text(text: &str) -> Node {
        Node {
            kind: EntryType::Regular,
            mode: 0o644,
            content: text.as_bytes().to_vec(),
            link: None,
        }
    }

    /// Says whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.kind.is_dir()
    }
}

/// Reads a whole archive; an error of its source is the call's error.
pub(super) async fn gather(tar: TarStream) -> Result<Vec<u8>, EngineError> {
    let pieces: io::Result<Vec<Bytes>> = tar.try_collect().await;
    let pieces = pieces.map_err(|error| EngineError::Other(error.to_string()))?;
    Ok(pieces.concat())
}

/// The path without `.` and with `..` taken off; it never leaves the root.
pub(super) fn absolute(path: &str) -> PathBuf {
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

/// Reads the files of an archive, by their path below where it is unpacked.
pub(super) fn read_archive(tar: &[u8]) -> io::Result<Vec<(PathBuf, Node)>> {
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

/// Writes an archive of the files below a root, under the name of `base`.
pub(super) fn write_archive(
    base: &Path,
    root: &Path,
    nodes: &[(PathBuf, Node)],
) -> io::Result<Vec<u8>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leaves_the_root() {
        for (path, expected) in [
            ("/a/./b", "/a/b"),
            ("a", "/a"),
            ("../../a", "/a"),
            ("/a/../..", "/"),
        ] {
            assert_eq!(absolute(path), Path::new(expected), "{path}");
        }
    }

    #[test]
    fn an_archive_that_is_written_can_be_read() {
        let nodes = [(PathBuf::from("/w/sub/a"), Node::text("one"))];
        let archive = write_archive(Path::new("sub"), Path::new("/w/sub"), &nodes).expect("write");
        let read = read_archive(&archive).expect("read");
        let (path, node) = &read[0];
        assert_eq!(
            (path.as_path(), &node.content[..], node.mode),
            (Path::new("sub/a"), &b"one"[..], 0o644)
        );
    }
}
