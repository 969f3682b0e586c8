//! Work that blocks, on a thread where that does no harm.

use std::io;

use super::failure::Failing;
use crate::ports::OpenError;

/// Does work that blocks.
pub async fn blocking<T: Send + 'static>(
    failing: &Failing,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, OpenError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| failing.machine(error))
}
