//! Asks the system how full its disks are.

use std::{io, path::Path};

use crate::ports::Disk;

/// The disks of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        // What is not there yet will be on the disk of the nearest folder above it.
        let there = folder.ancestors().find(|it| it.exists());
        let there = there.filter(|it| !it.as_os_str().is_empty());
        let found = rustix::fs::statvfs(there.unwrap_or(Path::new(".")))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}
