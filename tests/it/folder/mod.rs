//! Folders: what is sent of them, what comes back, and what git says.

mod contexts;
mod git;
mod hashes;
mod unpacking;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use careen::{
    adapters::folder::{Folder, Notes, Selection},
    ports::TarStream,
};
use futures_util::TryStreamExt;
use tempfile::TempDir;

/// A folder made for one test.
struct Tree {
    root: TempDir,
}

impl Tree {
    /// Makes a folder with these files; a name that ends in `/` is a folder.
    fn new(files: &[(&str, &str)]) -> Tree {
        let tree = Tree {
            root: TempDir::new().unwrap(),
        };
        for (name, content) in files {
            tree.write(name, content);
        }
        tree
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        if name.ends_with('/') {
            return fs::create_dir_all(path).unwrap();
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn open(&self) -> Folder {
        Folder::open(self.root.path()).unwrap()
    }
}

/// Packs a selection and lists the archive, with what was remarked.
async fn pack(selection: Selection) -> (Vec<String>, Vec<String>) {
    let remarks = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&remarks);
    let notes: Notes = Arc::new(move |remark| taken.lock().unwrap().push(remark));
    let names = list(&collect(selection.tar_stream(notes)).await);
    let remarks = remarks.lock().unwrap().clone();
    (names, remarks)
}

async fn collect(stream: TarStream) -> Vec<u8> {
    let chunks: Vec<_> = stream.try_collect().await.unwrap();
    chunks.concat()
}

/// Lists an archive: `name`, `name/` for folders, `name -> target` for links.
fn list(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let names = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        match entry.link_name().unwrap() {
            Some(target) => format!("{name} -> {}", target.display()),
            None if entry.header().entry_type().is_dir() => format!("{name}/"),
            None => name,
        }
    });
    names.collect()
}

fn silent() -> Notes {
    Arc::new(drop)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}

/// Lists all that is in a folder, without following links.
fn everything_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(everything_in(&entry.path()));
        }
        found.push(entry.path());
    }
    found.sort();
    found
}
