//! Packs log lines into compressed frames and finds them again.
//!
//! A line is numbered from 0 in its log, masked before it is kept, and stored with its stream and the engine's time
//! stamp. A frame holds up to a mebibyte of lines, compressed on its own, so that any line is found by reading one.

mod codec;
mod joiner;
mod mask;
mod matcher;
mod merge;
mod packer;
mod reader;
mod writer;

pub use codec::Line;
pub use mask::Masker;
pub use matcher::Matcher;
pub use merge::{Merged, MergedLine};
pub use reader::{count_lines, read_lines};
pub use writer::{LogWriter, Tap};
