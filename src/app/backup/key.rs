//! The key that seals secrets, put back from a backup.

use std::{io, path::Path};

use super::{AppError, failed};

/// Puts the key where it is looked for; one that is there already is left alone.
pub(super) fn put_back(from: &Path, to: &Path) -> Result<(), AppError> {
    let Some(wanted) = read(from)? else {
        return Err(AppError::usage(
            "the backup holds no key",
            "Leave --with-key out, and put the key in its place from where you keep it",
        ));
    };
    match read(to)? {
        Some(present) if present == wanted => Ok(()),
        Some(_) => Err(AppError::usage(
            format!("{} is another key than that of the backup", to.display()),
            "Move it away first, or leave --with-key out",
        )),
        None => write(&wanted, to).map_err(|error| failed(to, &error)),
    }
}

fn read(file: &Path) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, AppError> {
    match std::fs::read(file) {
        Ok(text) => Ok(Some(text.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(file, &error)),
    }
}

/// Nobody but its owner may read it, and it is there as a whole or not at all.
fn write(key: &[u8], to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, key)?;
    file.as_file().sync_all()?;
    file.persist(to)?;
    Ok(())
}
