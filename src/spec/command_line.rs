//! Reads a `cmd` property: docker-run options, image, arguments.

use super::Command;
use crate::text::Diagnostics;

/// Reads the text of a `cmd`; spans in the findings are byte ranges of `text`.
pub fn read(text: &str) -> (Command, Diagnostics) {
    let command = Command {
        text: text.to_owned(),
        ..Command::default()
    };
    (command, Diagnostics::default())
}
