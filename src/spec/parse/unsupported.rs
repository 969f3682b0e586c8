//! What a build can ask for and will not get: said before anything runs.

use super::codes;
use super::reader::{Field, Reader};
use crate::spec::Build;
use crate::text::Diagnostic;

/// Reports what the line of a build asks for in vain.
pub(super) fn report(reader: &mut Reader<'_>, line: Field<'_>, build: &Build) {
    let error = |message: &str| Diagnostic::error(codes::NOT_SUPPORTED, message).at(line.span());
    if is_elsewhere(&build.context) {
        let finding = error("build contexts from elsewhere are not supported yet");
        reader
            .report(finding.help("name a folder of the workspace; an earlier step can fetch one"));
    }
}

/// Says whether a context is standard input, a repository or an archive of another machine.
fn is_elsewhere(context: &str) -> bool {
    let starts = ["git@", "github.com/"];
    context == "-" || context.contains("://") || starts.iter().any(|it| context.starts_with(it))
}
