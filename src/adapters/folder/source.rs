//! Reading one entry of a folder, which others may be changing meanwhile.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

use super::{ContextError, Entry};

/// What an entry holds.
pub enum Source {
    /// A folder.
    Folder,
    /// A link, with where it points, as it is written.
    Link(PathBuf),
    /// A file, open.
    File(Exactly<File>),
    /// Something that cannot be sent, with its name for people.
    Unsendable(&'static str),
    /// Nothing: it has gone, or become something else, since it was listed.
    Gone,
}

/// Opens what an entry holds. Files with several names are files here, each with its content.
pub fn open(entry: &Entry) -> Result<Source, ContextError> {
    let kind = entry.metadata.file_type();
    let opened = if kind.is_dir() {
        Ok(Source::Folder)
    } else if kind.is_symlink() {
        fs::read_link(&entry.full_path).map(Source::Link)
    } else if kind.is_file() {
        open_file(entry)
    } else {
        return Ok(Source::Unsendable(name_of_special(kind)));
    };
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Source::Gone),
        result => result.map_err(|error| ContextError::reading(&entry.full_path, error)),
    }
}

/// Reads the permission bits of an entry.
pub fn mode(entry: &Entry) -> u32 {
    entry.metadata.permissions().mode() & 0o7777
}

fn open_file(entry: &Entry) -> io::Result<Source> {
    let file = File::open(&entry.full_path)?;
    let metadata = file.metadata()?;
    // A link put in the file's place would lead out of the folder.
    let is_same = (metadata.dev(), metadata.ino()) == (entry.metadata.dev(), entry.metadata.ino());
    Ok(match is_same {
        true => Source::File(Exactly::new(file, metadata.len())),
        false => Source::Gone,
    })
}

fn name_of_special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_socket() {
        "a socket"
    } else if kind.is_fifo() {
        "a named pipe"
    } else {
        "a device"
    }
}

/// Reads just so many bytes: what a file has grown by is left, and a file that has shrunk is an error.
pub struct Exactly<R> {
    inner: R,
    size: u64,
    left: u64,
}

impl<R: Read> Exactly<R> {
    fn new(inner: R, size: u64) -> Exactly<R> {
        Exactly {
            inner,
            size,
            left: size,
        }
    }

    /// Names the number of bytes in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Tells, once all is read, whether there is more by now.
    pub fn has_grown(&mut self) -> io::Result<bool> {
        Ok(self.inner.read(&mut [0])? > 0)
    }
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        match self.inner.read(&mut buffer[..most])? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it became shorter while it was read; try again when nothing writes to it",
            )),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::Exactly;

    #[test]
    fn a_file_that_grew_is_read_as_it_was() {
        let mut reader = Exactly::new(Cursor::new(b"abcdef"), 4);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcd");
        assert!(reader.has_grown().unwrap());
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let mut reader = Exactly::new(Cursor::new(b"ab"), 4);
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("became shorter"), "{error}");
    }
}
