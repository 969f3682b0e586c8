//! What a build can ask for and will not get: said before anything runs.

use super::codes;
use super::reader::{Field, Reader};
use crate::spec::context::{self, ContextRef};
use crate::spec::{Build, Cache};
use crate::text::Diagnostic;

/// Reports what the line of a build and its `cache` ask for in vain.
pub(super) fn report(
    reader: &mut Reader<'_>,
    line: Field<'_>,
    cache: Option<Field<'_>>,
    build: &Build,
) {
    let warning =
        |message: &str| Diagnostic::warning(codes::NOT_SUPPORTED, message).at(line.span());
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
    if !build.secrets.is_empty() {
        let finding = error("`--secret` is not supported yet");
        reader.report(finding.help(
            "let a step write the file to the workspace, and use it in a stage that is not kept",
        ));
    }
    if build.platforms.len() > 1 {
        let finding = error("a build makes an image for one platform");
        reader.report(finding.help("write a step for each platform"));
    }
    if !build.cache_to.is_empty() {
        let finding = warning("`--cache-to` is left out: no cache is written to a registry yet");
        reader.report(finding.help("builds on one engine share its layers without it"));
    }
    if let Some(field) = cache.filter(|_| build.cache == Cache::Enabled) {
        let finding = Diagnostic::warning(
            codes::NOT_SUPPORTED,
            "`cache` is left out: no cache is kept in a registry yet",
        );
        reader.report(
            finding
                .at(field.span())
                .help("builds on one engine share its layers without it"),
        );
    }
}
