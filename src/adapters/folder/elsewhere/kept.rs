//! Folders of this machine, kept as a run saw them, so that a rerun sees the same.
//!
//! Keeping is for what costs little: a folder is hashed unless it looks as it did, and copied when its content is new. More than
//! `CAPS` is not kept, which is found out by counting, before anything is read.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    io::{self, BufWriter},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{Elsewhere, blocking::blocking, failure::Failing, opened, seen::Seen};
use crate::{
    adapters::folder::{
        Caps, ContextError, Entry, Folder, Hidden, Selection,
        hash::hash_entries,
        source::{self, Source},
        walk::look_at,
    },
    ports::{BuildFiles, OpenError, Opened, Pin},
};

/// What is kept of one folder: some 0.1 s of hashing and as much of copying.
pub const CAPS: Caps = Caps {
    entries: 10_000,
    bytes: 128 << 20,
};

/// How much is copied at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Files by their path in the folder, parents first.
type Files = BTreeMap<PathBuf, Entry>;

/// Opens what was kept under this digest.
pub async fn open(at: &Elsewhere, digest: &str) -> Result<Opened, OpenError> {
    let failing = Failing::of("folder");
    match at.find(&name_of(digest), &failing).await? {
        Some(kept) => {
            let digest = digest.to_owned();
            Ok(opened(kept, Pin::Folder { digest }))
        }
        None => Err(failing.changed(
            format!("the files that the run saw ({digest}) are not kept any more"),
            "Run the folder anew to take it as it is now",
        )),
    }
}

/// Keeps a folder; `None` where it is too much, or cannot be read, which the run itself will tell.
pub async fn keep(
    at: &Elsewhere,
    folder: &Path,
    builds: &[BuildFiles],
) -> Result<Option<Pin>, OpenError> {
    let failing = Failing::of(folder.display());
    let (cache, caps, hidden) = (at.cache.clone(), at.bounds.keep, at.hidden.clone());
    let (folder, builds) = (folder.to_owned(), builds.to_owned());
    let work = move || {
        let now = SystemTime::now();
        let Ok(Some(files)) = files_of((&folder, &hidden), &builds, caps) else {
            return Ok(None);
        };
        let seen = Seen::of((cache.root(), &folder), files.values(), now);
        let known = seen.as_ref().and_then(Seen::digest);
        let to_note = seen.filter(|_| known.is_none());
        let Ok(digest) = known.map_or_else(|| hash_entries(files.values().map(Ok)), Ok) else {
            return Ok(None);
        };
        if cache.find(&name_of(&digest))?.is_some() {
            to_note.iter().for_each(|seen| seen.note(&digest));
            return Ok(Some(Pin::Folder { digest }));
        }
        let draft = cache.begin()?;
        copy(&files, &draft.tree())?;
        // What was copied counts: the folder may have changed since it was hashed.
        let Some(copied) = all_of(&draft.tree())? else {
            return Ok(None);
        };
        let digest = hash_entries(copied.values().map(Ok))?;
        cache.put(draft, &name_of(&digest))?;
        Ok(Some(Pin::Folder { digest }))
    };
    blocking(&failing, work).await
}

fn name_of(digest: &str) -> String {
    format!("folder-{}", digest.trim_start_matches("sha256:"))
}

/// Lists what the run and its builds read, each file once; `None` when it is more than the caps.
fn files_of(
    (folder, hidden): (&Path, &Hidden),
    builds: &[BuildFiles],
    caps: Caps,
) -> Result<Option<Files>, ContextError> {
    let mut files = Files::new();
    let mut bytes = 0;
    let selection = Folder::open(folder)?.without(hidden).run_context()?;
    if !add_all(&mut files, &mut bytes, (Path::new(""), &selection), caps)? {
        return Ok(None);
    }
    add_file(&mut files, folder, Path::new(".dockerignore"))?;
    for build in builds {
        // A build that has nothing to read may stand behind a step that makes it.
        let Ok(opened) = Folder::open(&folder.join(&build.context)) else {
            continue;
        };
        let opened = opened.without(hidden);
        let mut beside = build.dockerfile.clone().into_os_string();
        beside.push(".dockerignore");
        let ignore = build.context.join(".dockerignore");
        for path in [&ignore, &PathBuf::from(beside), &build.dockerfile] {
            add_file(&mut files, folder, path)?;
        }
        let Ok(built) = opened.build_context(&folder.join(&build.dockerfile)) else {
            continue;
        };
        if !add_all(
            &mut files,
            &mut bytes,
            (&build.context, &built.selection),
            caps,
        )? {
            return Ok(None);
        }
    }
    Ok(Some(files))
}

/// Adds what a selection holds; false when the caps are reached.
fn add_all(
    files: &mut Files,
    bytes: &mut u64,
    (below, selection): (&Path, &Selection),
    caps: Caps,
) -> Result<bool, ContextError> {
    for entry in selection.walk()? {
        let mut entry = entry?;
        entry.path = below.join(&entry.path);
        if files.contains_key(&entry.path) {
            continue;
        }
        *bytes += entry.metadata.len();
        if *bytes > caps.bytes || files.len() as u64 >= caps.entries {
            return Ok(false);
        }
        files.insert(entry.path.clone(), entry);
    }
    Ok(true)
}

fn add_file(files: &mut Files, folder: &Path, path: &Path) -> Result<(), ContextError> {
    if let Some(entry) = look_at(folder, path)?.filter(|it| it.metadata.is_file()) {
        files.entry(path.to_owned()).or_insert(entry);
    }
    Ok(())
}

/// Lists everything in a folder that is ours.
fn all_of(tree: &Path) -> Result<Option<Files>, ContextError> {
    let mut files = Files::new();
    let everything = Folder::open(tree)?.everything();
    let unlimited = Caps {
        entries: u64::MAX,
        bytes: u64::MAX,
    };
    let is_all = add_all(&mut files, &mut 0, (Path::new(""), &everything), unlimited)?;
    Ok(is_all.then_some(files))
}

fn copy(files: &Files, tree: &Path) -> io::Result<()> {
    for (path, entry) in files {
        let target = tree.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        match source::open(entry)? {
            Source::Folder => fs::create_dir_all(&target)?,
            Source::Link(points_to) => symlink(points_to, &target)?,
            Source::File(mut content) => {
                let mut file = BufWriter::with_capacity(PIECE_BYTES, File::create(&target)?);
                io::copy(&mut content, &mut file)?;
                let file = file.into_inner()?;
                file.set_modified(entry.metadata.modified()?)?;
                file.set_permissions(Permissions::from_mode(source::mode(entry)))?;
            }
            Source::Unsendable(_) | Source::Gone => {}
        }
    }
    // The deepest first: what may not be entered any more hides what is below it.
    for (path, entry) in files.iter().rev().filter(|(_, it)| it.metadata.is_dir()) {
        fs::set_permissions(tree.join(path), Permissions::from_mode(source::mode(entry)))?;
    }
    Ok(())
}
