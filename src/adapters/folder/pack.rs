//! Writing tar archives: of a selection, or of files in memory.
//!
//! Everything belongs to root in the archive, as with docker's own command line; modes, times and links stay.

use std::{
    io::{self, Read, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tar::{Builder, EntryType, Header};

use super::{
    ContextError, Entry, Notes, Selection,
    source::{self, Exactly, Source},
};
use crate::ports::TarStream;

/// Packs files given by path, mode and content, in this order.
pub fn pack_files(files: Vec<(String, u32, Vec<u8>)>) -> TarStream {
    let packed = || {
        let mut archive = Builder::new(Vec::new());
        for (path, mode, content) in &files {
            append_bytes(&mut archive, path, *mode, content)?;
        }
        archive.into_inner().map(Bytes::from)
    };
    stream::iter([packed()]).boxed()
}

/// Writes the archive of a selection.
pub fn pack(selection: &Selection, notes: &Notes, writer: &mut dyn Write) -> io::Result<()> {
    let mut archive = Builder::new(writer);
    for entry in selection.walk()? {
        let entry = entry?;
        if !selection.replaces(&entry.path) {
            append(&mut archive, &entry, notes)?;
        }
    }
    for (name, content) in selection.added() {
        append_bytes(&mut archive, name, 0o644, content)?;
    }
    archive.into_inner().map(|_| ())
}

fn append<W: Write>(archive: &mut Builder<W>, entry: &Entry, notes: &Notes) -> io::Result<()> {
    let mut header = header(source::mode(entry), entry.metadata.mtime());
    match source::open(entry)? {
        Source::Folder => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, &entry.path, io::empty())
        }
        Source::Link(target) => append_link(archive, &mut header, &entry.path, &target),
        Source::File(content) => append_file(archive, header, (entry, content), notes),
        Source::Unsendable(kind) => {
            notes(format!(
                "{} is left out: it is {kind}",
                entry.path.display()
            ));
            Ok(())
        }
        Source::Gone => {
            notes(format!(
                "{} is left out: it went away while the folder was read",
                entry.path.display()
            ));
            Ok(())
        }
    }
}

fn append_file<W: Write, R: Read>(
    archive: &mut Builder<W>,
    mut header: Header,
    (entry, mut content): (&Entry, Exactly<R>),
    notes: &Notes,
) -> io::Result<()> {
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.size());
    archive
        .append_data(&mut header, &entry.path, &mut content)
        .and_then(|()| content.has_grown())
        .map(|has_grown| {
            if has_grown {
                notes(format!(
                    "{} grew while it was read; what was added is not sent",
                    entry.path.display()
                ));
            }
        })
        .map_err(|error| match error.kind() {
            // Nobody reads the archive any more: not this file's fault.
            io::ErrorKind::BrokenPipe => error,
            _ => ContextError::reading(&entry.full_path, error).into(),
        })
}

fn append_link<W: Write>(
    archive: &mut Builder<W>,
    header: &mut Header,
    path: &Path,
    target: &Path,
) -> io::Result<()> {
    header.set_entry_type(EntryType::Symlink);
    // As it is written, while it fits; the other way tidies it.
    match header.set_link_name_literal(target.as_os_str().as_bytes()) {
        Ok(()) => archive.append_data(header, path, io::empty()),
        Err(_) => archive.append_link(header, path, target),
    }
}

fn append_bytes<W: Write>(
    archive: &mut Builder<W>,
    path: &str,
    mode: u32,
    content: &[u8],
) -> io::Result<()> {
    let mut header = header(mode, 0);
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content)
}

fn header(mode: u32, modified_seconds: i64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    // Times before 1970 have no place in this format.
    header.set_mtime(u64::try_from(modified_seconds).unwrap_or(0));
    header
}
