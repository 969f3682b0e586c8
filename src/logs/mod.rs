//! Packs log lines into compressed frames and finds them again.
//!
//! On the way in: [`LogWriter`] joins pieces to lines ([`splitter`]), masks secrets ([`Masker`]) and fills frames
//! ([`frame`]); the pipeline compresses and stores them in groups ([`Logs`]). On the way out: [`LogLines`] reads one
//! log from any line on, [`RunLines`] all logs of a run by time. Text is never handled line by line where a block of
//! whole lines will do: that is where the speed comes from.

mod frame;
mod line;
mod lines;
mod masker;
mod matcher;
mod packer;
mod pipeline;
mod run_lines;
mod shared;
mod splitter;
mod writer;

pub use line::{Ending, Line, LineRef};
pub use lines::LogLines;
pub use masker::Masker;
pub use matcher::Matcher;
pub use packer::Tap;
pub use pipeline::Logs;
pub use run_lines::RunLines;
pub use shared::{FRESH, SharedFrames};
pub use writer::{CopyError, LogWriter, Written};

use crate::ports::StoreError;

/// Why a log could not be written or read. `Display` is a lowercase fragment that fits after "could not …: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The frames cannot be stored or fetched.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored frame does not unpack.
    #[error("the log is damaged at line {first_line}: {reason}")]
    Damaged {
        /// The number of the frame's first line.
        first_line: u64,
        /// What is wrong with it.
        reason: String,
    },
}
