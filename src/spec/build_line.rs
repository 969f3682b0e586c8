//! Reads a `build` property: the arguments of a docker build.

use super::Build;
use crate::text::Diagnostics;

/// Reads the text of a `build`; spans in the findings are byte ranges of `text`.
pub fn read(text: &str) -> (Build, Diagnostics) {
    let build = Build {
        text: text.to_owned(),
        ..Build::default()
    };
    (build, Diagnostics::default())
}
