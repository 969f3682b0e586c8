//! What a build can ask for and will not get: said before anything runs.

use super::codes;
use super::reader::{Field, Reader};
use crate::spec::Build;
use crate::spec::context::{self, ContextRef};
use crate::text::Diagnostic;

/// Reports what the line of a build asks for in vain.
pub(super) fn report(reader: &mut Reader<'_>, line: Field<'_>, build: &Build) {
    let error = |message: &str| Diagnostic::error(codes::NOT_SUPPORTED, message).at(line.span());
    match context::read(&build.context).map(|it| it.context) {
        Err(misspelt) => {
            let finding = error(&misspelt.message);
            reader.report(finding.help(misspelt.hint));
        }
        Ok(ContextRef::Stdin) => {
            let finding = error("a step has no standard input to take its context from");
            reader
                .report(finding.help("name a folder of the workspace, a repository or an archive"));
        }
        Ok(_) => {}
    }
}
