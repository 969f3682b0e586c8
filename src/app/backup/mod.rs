//! Copies all that careen keeps into one file, and puts such a copy back, while others go on working.

mod key;
mod objects;

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::objects::{AllObjects, put_back};
use super::{App, AppError};

/// The first member of a backup.
const HEAD: &str = "careen-backup.json";
/// The folder of a backup that holds the dump of the database.
const DATABASE: &str = "database";
/// The folder that holds uploaded contexts, and large parts of logs over Postgres.
const OBJECTS: &str = "objects";
/// The member that holds the key that seals secrets.
const KEY: &str = "key";
/// The format that is written, and read.
const FORMAT: u32 = 1;
/// zstd's usual level.
const LEVEL: i32 = 3;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupHead {
    format: u32,
    /// The database it was made from: `sqlite` or `postgres`.
    pub database: String,
    /// The id of the store, which is part of every name on an engine.
    pub store: String,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// The folders that came with the database.
    pub folders: Vec<String>,
    /// Whether the key that seals secrets is in it.
    #[serde(default)]
    pub key: bool,
}

/// A folder beside the database that belongs into a backup.
#[derive(Debug, Clone)]
pub struct BackupFolder {
    /// What it is called in the backup.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What belongs into a backup, besides the objects.
#[derive(Debug, Clone)]
pub struct BackupParts {
    /// The kind of the database: `sqlite` or `postgres`.
    pub database: &'static str,
    /// The folders beside it.
    pub folders: Vec<BackupFolder>,
    /// The file of the key that seals secrets, where that belongs into it, too.
    pub key: Option<PathBuf>,
}

impl App {
    /// Writes a backup. The database is taken first, at one moment: all that it speaks of is then in the folders and
    /// among the objects, which only grow.
    pub async fn back_up(&self, parts: BackupParts, file: &Path) -> Result<BackupHead, AppError> {
        if parts.key.is_some() {
            // Makes the key where there is none yet.
            self.vault.key_id()?;
        }
        let mut folders: Vec<String> = parts.folders.iter().map(|it| it.name.clone()).collect();
        folders.push(OBJECTS.to_owned());
        let head = BackupHead {
            format: FORMAT,
            database: parts.database.to_owned(),
            store: self.ports.store.store_id().to_owned(),
            at: self.ports.clock.now(),
            folders,
            key: parts.key.is_some(),
        };
        let beside = file.parent().filter(|it| !it.as_os_str().is_empty());
        let beside = beside.unwrap_or(Path::new(".")).to_path_buf();
        let dump = tempfile::tempdir_in(&beside).map_err(|error| failed(&beside, &error))?;
        self.upkeep.dump(dump.path()).await?;
        let objects = AllObjects::list(self.objects.clone()).await?;
        let (target, written) = (file.to_path_buf(), head.clone());
        let packing = move || {
            let from = (dump.path(), &parts, &objects);
            pack((&target, &beside), &written, from)
        };
        blocking(file, packing).await?;
        Ok(head)
    }

    /// Puts a backup in the place of all that is recorded now. The folders come after the database: what is there
    /// only becomes more, and a restore that breaks off can be done again.
    pub async fn restore(&self, parts: BackupParts, file: &Path) -> Result<BackupHead, AppError> {
        let data = self.files.parent().unwrap_or(Path::new("."));
        let unpacked = std::fs::create_dir_all(data).and_then(|()| tempfile::tempdir_in(data));
        let unpacked = unpacked.map_err(|error| failed(data, &error))?;
        let (source, into) = (file.to_path_buf(), unpacked.path().to_path_buf());
        let head = blocking(file, move || unpack(&source, &into)).await?;
        if head.format != FORMAT || head.database != parts.database {
            return Err(AppError::usage(
                format!(
                    "the backup is of {} in format {}, and this is {} in format {FORMAT}",
                    head.database, head.format, parts.database
                ),
                "Name a database of the same kind with --db",
            ));
        }
        let from = unpacked.path().to_path_buf();
        if let Some(key) = &parts.key {
            key::put_back(&from.join(KEY), key)?;
        }
        self.upkeep.restore(&from.join(DATABASE)).await?;
        put_back(&*self.objects, &from.join(OBJECTS)).await?;
        let copying = move || {
            let mut folders = parts.folders.iter();
            folders.try_for_each(|it| copy_tree(&from.join(&it.name), &it.path))
        };
        blocking(file, copying).await?;
        Ok(head)
    }
}

fn pack(
    (target, beside): (&Path, &Path),
    head: &BackupHead,
    (dump, parts, objects): (&Path, &BackupParts, &AllObjects),
) -> io::Result<()> {
    // It holds sealed secrets and logs, so nobody else may read it; and it has its name only when it is whole.
    let mut file = tempfile::NamedTempFile::new_in(beside)?;
    let mut tar = tar::Builder::new(zstd::Encoder::new(file.as_file_mut(), LEVEL)?);
    tar.follow_symlinks(false);
    let text = serde_json::to_vec_pretty(head)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, HEAD, text.as_slice())?;
    add_tree(&mut tar, dump, Path::new(DATABASE))?;
    for folder in &parts.folders {
        add_tree(&mut tar, &folder.path, Path::new(&folder.name))?;
    }
    objects.add_to(&mut tar, Path::new(OBJECTS))?;
    if let Some(key) = &parts.key {
        add(&mut tar, key, Path::new(KEY))?;
    }
    tar.into_inner()?.finish()?;
    file.as_file().sync_all()?;
    file.persist(target)?;
    Ok(())
}

/// Adds a folder as it is now; what goes meanwhile is left out.
fn add_tree(tar: &mut tar::Builder<impl Write>, folder: &Path, name: &Path) -> io::Result<()> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .follow_links(false)
        .build();
    for entry in walk.filter_map(Result::ok) {
        let Ok(below) = entry.path().strip_prefix(folder) else {
            continue;
        };
        match add(tar, entry.path(), &name.join(below)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

fn add(tar: &mut tar::Builder<impl Write>, path: &Path, name: &Path) -> io::Result<()> {
    let kind = path.symlink_metadata()?.file_type();
    if !kind.is_file() {
        return match kind.is_dir() || kind.is_symlink() {
            true => tar.append_path_with_name(path, name),
            false => Ok(()),
        };
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    // A log that grows meanwhile is taken up to what was there; more than that the database does not speak of.
    tar.append_data(&mut header, name, file.take(metadata.len()))
}

fn unpack(file: &Path, into: &Path) -> io::Result<BackupHead> {
    let mut tar = tar::Archive::new(zstd::Decoder::new(File::open(file)?)?);
    tar.set_preserve_permissions(true);
    tar.unpack(into)?;
    let head = std::fs::read(into.join(HEAD));
    let head = head.map_err(|_| io::Error::other("it is no backup of careen"))?;
    Ok(serde_json::from_slice(&head)?)
}

/// Copies into a folder what it lacks; each file at once, so that no reader sees half of one. What is there stays,
/// for files only grow, and others may hold them as locks.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    std::fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let (kind, source_bytes) = (entry.file_type()?, entry.metadata()?.len());
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            if target.symlink_metadata().is_err() {
                std::os::unix::fs::symlink(std::fs::read_link(&source)?, &target)?;
            }
        } else if target.metadata().is_ok_and(|it| it.len() >= source_bytes) {
            continue;
        } else {
            let beside = tempfile::NamedTempFile::new_in(to)?;
            std::fs::copy(&source, beside.path())?;
            beside.persist(&target)?;
        }
    }
    let mode = from.metadata()?.permissions();
    std::fs::set_permissions(to, mode)
}

async fn blocking<T: Send + 'static>(
    file: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &io::Error) -> AppError {
    AppError::Files(format!("{}: {error}", file.display()))
}
