//! Unpacking an archive into a folder, trusting nothing in it.
//!
//! What could reach out of the folder is refused by name and ends the unpacking; what was unpacked before stays. Set-user
//! bits and owners are not taken over.

use std::{
    cell::Cell,
    fs::{self, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, SystemTime},
};

use tar::{Archive, Entry, EntryType};

use super::{
    UnpackError,
    hostile::{Metered, check_link_target, real_parent, safe_path},
    stream,
};
use crate::ports::TarStream;

/// What one header with its names and attributes may take.
const HEADER_BYTES: u64 = 1024 * 1024;
/// What may be read beyond an entry's size: the filling up to whole blocks.
const BLOCK_BYTES: u64 = 512;

/// How much an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Files, folders and links in all.
    pub entries: u64,
    /// Bytes in all, once unpacked.
    pub bytes: u64,
}

impl Default for Caps {
    /// Allows more than what builds leave behind, and less than what would fill most disks.
    fn default() -> Caps {
        Caps {
            entries: 1_000_000,
            bytes: 64 << 30,
        }
    }
}

/// How much an archive held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unpacked {
    /// Files, folders and links in all.
    pub entries: u64,
    /// Bytes in all, once unpacked.
    pub bytes: u64,
}

/// Unpacks an archive into a folder, which is made if it is missing. Files that are there are replaced.
pub async fn unpack(tar: TarStream, into: &Path, caps: Caps) -> Result<Unpacked, UnpackError> {
    let (sender, reader) = stream::reader();
    let into = into.to_owned();
    let worker = tokio::task::spawn_blocking(move || extract(reader, into, caps));
    stream::pump(tar, sender).await;
    worker
        .await
        .unwrap_or_else(|error| Err(UnpackError::Archive(io::Error::other(error))))
}

fn extract(reader: impl Read, into: PathBuf, caps: Caps) -> Result<Unpacked, UnpackError> {
    fs::create_dir_all(&into).map_err(UnpackError::writing(&into))?;
    let allowance = Rc::new(Cell::new(HEADER_BYTES));
    let mut archive = Archive::new(Metered {
        inner: reader,
        allowance: Rc::clone(&allowance),
    });
    let mut unpacker = Unpacker {
        into,
        caps,
        done: Unpacked::default(),
        folder_modes: Vec::new(),
    };
    for entry in archive.entries().map_err(UnpackError::Archive)? {
        let mut entry = entry.map_err(UnpackError::Archive)?;
        unpacker.count(entry.size())?;
        allowance.set(entry.size().saturating_add(BLOCK_BYTES));
        unpacker.take(&mut entry)?;
        // What is left unread here would be read with the next header, at its cost.
        io::copy(&mut entry, &mut io::sink()).map_err(UnpackError::Archive)?;
        allowance.set(HEADER_BYTES);
    }
    unpacker.finish()
}

struct Unpacker {
    into: PathBuf,
    caps: Caps,
    done: Unpacked,
    /// Modes to set at the end, so that a folder nobody may write to can be filled first.
    folder_modes: Vec<(PathBuf, u32)>,
}

impl Unpacker {
    fn count(&mut self, bytes: u64) -> Result<(), UnpackError> {
        self.done.entries += 1;
        self.done.bytes = self.done.bytes.saturating_add(bytes);
        if self.done.entries > self.caps.entries {
            return Err(UnpackError::TooManyEntries(self.caps.entries));
        }
        if self.done.bytes > self.caps.bytes {
            return Err(UnpackError::TooManyBytes(self.caps.bytes));
        }
        Ok(())
    }

    fn take(&mut self, entry: &mut Entry<'_, impl Read>) -> Result<(), UnpackError> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refused = |reason| UnpackError::Refused {
            name: name.clone(),
            reason,
        };
        let path = safe_path(&entry.path_bytes()).map_err(refused)?;
        let is_root = path.as_os_str().is_empty();
        match kind {
            EntryType::Directory if is_root => Ok(()),
            _ if is_root => Err(refused("has no name")),
            EntryType::Directory => self.make_folder(&path, mode(entry)),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.write_file(&path, entry)
            }
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name().ok().flatten();
                let target = target.ok_or_else(|| refused("is a link to nowhere"))?;
                match kind {
                    EntryType::Symlink => {
                        check_link_target(&path, &target).map_err(refused)?;
                        self.make_link(&path, &target)
                    }
                    _ => self.make_second_name(&path, &target),
                }
            }
            EntryType::Char | EntryType::Block => Err(refused("is a device")),
            EntryType::Fifo => Err(refused("is a named pipe")),
            _ => Err(refused("is of an unknown kind")),
        }
    }

    fn make_folder(&mut self, path: &Path, mode: u32) -> Result<(), UnpackError> {
        let full_path = self.place(path)?;
        match fs::symlink_metadata(&full_path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(self.in_the_way(path)),
            Err(_) => fs::create_dir(&full_path).map_err(UnpackError::writing(&full_path))?,
        }
        self.folder_modes.push((full_path, mode));
        Ok(())
    }

    fn write_file(
        &mut self,
        path: &Path,
        entry: &mut Entry<'_, impl Read>,
    ) -> Result<(), UnpackError> {
        let full_path = self.clear_place(path)?;
        let failed = || UnpackError::writing(&full_path);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&full_path)
            .map_err(failed())?;
        let count = io::copy(entry, &mut file).map_err(failed())?;
        if count < entry.size() {
            return Err(UnpackError::Archive(io::ErrorKind::UnexpectedEof.into()));
        }
        let modified = Duration::from_secs(entry.header().mtime().unwrap_or(0));
        if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(modified) {
            // A time that the disk cannot hold is no reason to refuse the file.
            let _ = file.set_modified(time);
        }
        file.set_permissions(Permissions::from_mode(mode(entry)))
            .map_err(failed())
    }

    fn make_link(&self, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let full_path = self.clear_place(path)?;
        symlink(target, &full_path).map_err(UnpackError::writing(&full_path))
    }

    /// Makes a hard link to a file that was unpacked before.
    fn make_second_name(&self, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let refused = |reason| UnpackError::Refused {
            name: path.display().to_string(),
            reason,
        };
        let target = safe_path(target.as_os_str().as_encoded_bytes())
            .map_err(|_| refused("is a second name of something out of the folder"))?;
        let original = self.place(&target)?;
        let is_file = fs::symlink_metadata(&original).is_ok_and(|found| found.is_file());
        if !is_file || original == self.place(path)? {
            return Err(refused("is a second name of no file"));
        }
        let full_path = self.clear_place(path)?;
        fs::hard_link(&original, &full_path).map_err(UnpackError::writing(&full_path))
    }

    /// Finds where an entry goes.
    fn place(&self, path: &Path) -> Result<PathBuf, UnpackError> {
        let parent = real_parent(&self.into, path)?;
        Ok(parent.join(path.file_name().unwrap_or_default()))
    }

    /// Finds where a file or link goes, and removes what it replaces.
    fn clear_place(&self, path: &Path) -> Result<PathBuf, UnpackError> {
        let full_path = self.place(path)?;
        match fs::symlink_metadata(&full_path) {
            Ok(found) if found.is_dir() => Err(self.in_the_way(path)),
            Ok(_) => match fs::remove_file(&full_path) {
                Ok(()) => Ok(full_path),
                Err(error) => Err(UnpackError::writing(&full_path)(error)),
            },
            Err(_) => Ok(full_path),
        }
    }

    fn in_the_way(&self, path: &Path) -> UnpackError {
        UnpackError::Write {
            path: self.into.join(path),
            reason: io::ErrorKind::AlreadyExists.into(),
        }
    }

    fn finish(self) -> Result<Unpacked, UnpackError> {
        // The deepest first: a folder that may not be entered any more hides what is below it.
        for (path, mode) in self.folder_modes.iter().rev() {
            fs::set_permissions(path, Permissions::from_mode(*mode))
                .map_err(UnpackError::writing(path))?;
        }
        Ok(self.done)
    }
}

fn mode(entry: &Entry<'_, impl Read>) -> u32 {
    entry.header().mode().unwrap_or(0o644) & 0o777
}
