//! Whether the disk has room for new runs, so that it never fills up under those that are under way.

use std::{path::PathBuf, sync::Arc};

use super::AppError;
use crate::ports::Disk;

/// The disk that takes what runs leave, and how much of it stays free.
pub struct Room {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    min_free_bytes: u64,
}

impl Room {
    /// Watches the disk of a folder.
    pub fn new(disk: Arc<dyn Disk>, folder: PathBuf, min_free_bytes: u64) -> Room {
        Room {
            disk,
            folder,
            min_free_bytes,
        }
    }

    /// Fails when no new run may begin.
    pub fn check(&self) -> Result<(), AppError> {
        match self.disk.free_bytes(&self.folder) {
            Ok(free) if free < self.min_free_bytes => Err(AppError::NoRoom {
                folder: self.folder.clone(),
                free_bytes: free,
                min_free_bytes: self.min_free_bytes,
            }),
            Ok(_) => Ok(()),
            // A disk that cannot be asked is no reason to run nothing.
            Err(error) => {
                tracing::debug!("could not ask for the room on the disk: {error}");
                Ok(())
            }
        }
    }
}
