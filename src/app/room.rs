//! Whether the disk has room for new runs, so that it never fills up under those that are under way.

use std::{path::PathBuf, sync::Arc};

use super::{App, AppError};
use crate::ports::{Disk, Place};

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

impl App {
    /// Says where a run stands in its queue and what it waits for: limits, and a disk without room.
    pub async fn place(&self, run: &str) -> Result<Option<Place>, AppError> {
        let mut place = self.queue.place(run).await?;
        if let (Some(place), Err(full)) = (&mut place, self.room.check()) {
            place.waits_for.push(full.to_string());
        }
        Ok(place)
    }
}
