//! What an archive from nobody knows whom may not do: reach out of its folder, or run the machine out of memory.

use std::{
    cell::Cell,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
    rc::Rc,
};

use super::UnpackError;

const LONGEST_NAME_BYTES: usize = 4096;

/// Reads an entry's name: relative, without `..`; empty for the folder itself.
pub fn safe_path(name: &[u8]) -> Result<PathBuf, &'static str> {
    if name.len() > LONGEST_NAME_BYTES {
        return Err("has a name longer than 4096 bytes");
    }
    if name.contains(&0) {
        return Err("has a zero byte in its name");
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err("has `..` in its name"),
            Component::RootDir | Component::Prefix(_) => return Err("is an absolute path"),
        }
    }
    Ok(path)
}

/// Checks where a link at this path points: somewhere in the folder, whatever other links there are. So `..` may
/// only lead, as far as the folders above the link (real ones, see `real_parent`) go.
pub fn check_link_target(path: &Path, target: &Path) -> Result<(), &'static str> {
    let mut folders_above = path.components().count().saturating_sub(1);
    let mut has_named = false;
    for component in target.components() {
        match component {
            Component::Normal(_) => has_named = true,
            Component::CurDir => {}
            Component::ParentDir if has_named => {
                return Err("is a link with `..` after a name, which may lead anywhere");
            }
            Component::ParentDir if folders_above == 0 => {
                return Err("is a link out of the folder");
            }
            Component::ParentDir => folders_above -= 1,
            Component::RootDir | Component::Prefix(_) => {
                return Err("is a link to an absolute path");
            }
        }
    }
    Ok(())
}

/// Finds the folder above a path, making what is missing; links on the way are refused, never followed.
pub fn real_parent(into: &Path, path: &Path) -> Result<PathBuf, UnpackError> {
    let refused = |reason| UnpackError::Refused {
        name: path.display().to_string(),
        reason,
    };
    let mut parent = into.to_owned();
    for part in path.parent().unwrap_or(Path::new("")).components() {
        parent.push(part);
        match fs::symlink_metadata(&parent) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => return Err(refused("lies below a link")),
            Ok(_) => return Err(refused("lies below a file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&parent).map_err(UnpackError::writing(&parent))?;
            }
            Err(reason) => return Err(UnpackError::writing(&parent)(reason)),
        }
    }
    Ok(parent)
}

/// A reader that stops at an allowance. It bounds what the archive reader takes into memory for one header: names
/// and attributes of any length may precede an entry.
pub struct Metered<R> {
    /// The reader.
    pub inner: R,
    /// How many bytes may still be read.
    pub allowance: Rc<Cell<u64>>,
}

impl<R: io::Read> io::Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("a header has more than a megabyte"));
        }
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.inner.read(&mut buffer[..most])?;
        self.allowance.set(left - count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{check_link_target, safe_path};

    #[test]
    fn only_plain_relative_names_pass() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"a/b", Some("a/b")),
            (b"./a//b/", Some("a/b")),
            (b"./", Some("")),
            (b"a/..b", Some("a/..b")),
            (b"/a", None),
            (b"../a", None),
            (b"a/../b", None),
            (b"a\0b", None),
            (&[b'a'; 5000], None),
        ];
        for (name, expected) in cases {
            assert_eq!(safe_path(name).ok().as_deref(), expected.map(Path::new));
        }
    }

    #[test]
    fn a_link_may_not_lead_out() {
        let cases = [
            ("l", "a/b", true),
            ("a/l", "../b", true),
            ("a/b/l", "../../c", true),
            ("l", ".", true),
            ("l", "..", false),
            ("a/l", "../../b", false),
            ("l", "a/../b", false),
            ("l", "/etc", false),
        ];
        for (path, target, expected) in cases {
            let is_fine = check_link_target(Path::new(path), Path::new(target)).is_ok();
            assert_eq!(is_fine, expected, "{path} -> {target}");
        }
    }
}
