//! What a folder was seen to hold, so that files which nothing has touched since are not read again.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::marks;
use crate::adapters::folder::{Entry, open::hex};

/// A file changed so lately may change once more without a newer time: clocks of file systems tick slowly.
const RESTLESS: Duration = Duration::from_secs(2);

/// The looks of a folder: names, kinds, sizes and times of all that is kept of it, and nothing of the contents.
#[derive(Debug)]
pub struct Seen {
    place: PathBuf,
    looks: String,
}

#[derive(Serialize, Deserialize)]
struct Note {
    looks: String,
    digest: String,
}

impl Seen {
    /// Looks at what a folder holds; `None` where some of it changed a moment ago.
    pub fn of<'e>(
        (root, folder): (&Path, &Path),
        entries: impl Iterator<Item = &'e Entry>,
        now: SystemTime,
    ) -> Option<Seen> {
        let since_1970 = now.duration_since(UNIX_EPOCH).ok()?;
        let quiet = i64::try_from(since_1970.checked_sub(RESTLESS)?.as_secs()).ok()?;
        let mut hash = Sha256::new();
        for entry in entries {
            let it = &entry.metadata;
            if it.mtime() >= quiet || it.ctime() >= quiet {
                return None;
            }
            let path = entry.path.as_os_str().as_bytes();
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path);
            let times = [it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()];
            let times = times.map(i64::cast_unsigned);
            let numbers = [it.dev(), it.ino(), it.size(), u64::from(it.mode())];
            for number in numbers.iter().chain(&times) {
                hash.update(number.to_le_bytes());
            }
        }
        let name = hex(&Sha256::digest(folder.as_os_str().as_bytes()));
        Some(Seen {
            place: root.join(marks::FOLDER).join(format!("folder-{name}")),
            looks: hex(&hash.finalize()),
        })
    }

    /// The digest that was found when the folder last looked like this.
    pub fn digest(&self) -> Option<String> {
        let note: Note = serde_json::from_slice(&fs::read(&self.place).ok()?).ok()?;
        (note.looks == self.looks).then_some(note.digest)
    }

    /// Notes the digest for the next time. Without the note the next time only takes longer.
    pub fn note(&self, digest: &str) {
        let note = Note {
            looks: self.looks.clone(),
            digest: digest.to_owned(),
        };
        marks::put(&self.place, &note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::folder::Folder;

    fn seen(place: &Path, folder: &Path, later: Duration) -> Option<Seen> {
        let selection = Folder::open(folder).unwrap().everything();
        let entries: Vec<Entry> = selection.walk().unwrap().map(Result::unwrap).collect();
        Seen::of((place, folder), entries.iter(), SystemTime::now() + later)
    }

    #[test]
    fn what_was_found_counts_until_anything_changes() {
        let (place, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (place, folder) = (place.path(), folder.path());
        fs::write(folder.join("a"), "one").unwrap();
        let (soon, later) = (Duration::ZERO, Duration::from_secs(10));
        assert!(seen(place, folder, soon).is_none(), "it changed just now");
        let first = seen(place, folder, later).unwrap();
        assert_eq!(first.digest(), None);
        first.note("sha256:1");
        let again = seen(place, folder, later).unwrap();
        assert_eq!(again.digest().as_deref(), Some("sha256:1"));
        // The same name, size and time of change, but other bytes: the system's own time tells.
        let modified = fs::metadata(folder.join("a")).unwrap().modified().unwrap();
        fs::write(folder.join("a"), "two").unwrap();
        let file = fs::File::options().write(true).open(folder.join("a"));
        file.unwrap().set_modified(modified).unwrap();
        assert_eq!(seen(place, folder, later).unwrap().digest(), None);
    }
}
