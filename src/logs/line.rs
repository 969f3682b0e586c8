//! One line of a log.

use bytes::Bytes;

use crate::ports::Stream;

/// How a line's text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With a newline, which is not part of the text.
    Newline,
    /// With the stream.
    Stream,
    /// Not at all: it was too long for one piece, and the next line of the same stream continues it.
    Continued,
}

/// A line as read from a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the log, from 0.
    pub number: u64,
    /// Where it was written.
    pub stream: Stream,
    /// When it was begun, in nanoseconds since 1970.
    pub at_nanos: i64,
    /// How it ended.
    pub ending: Ending,
    /// Its text, secrets masked, without the newline.
    pub text: Bytes,
}

/// A line as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRef<'a> {
    /// Its number in the log, from 0.
    pub number: u64,
    /// Where it was written.
    pub stream: Stream,
    /// When it was begun, in nanoseconds since 1970.
    pub at_nanos: i64,
    /// How it ended.
    pub ending: Ending,
    /// Its text, secrets masked, without the newline.
    pub text: &'a [u8],
}
