//! The `version` of a file.

use super::codes;
use super::reader::{Field, Reader};
use crate::spec::Version;
use crate::text::{Diagnostic, did_you_mean};

/// What the file says about its version.
pub(super) struct Declared {
    /// The version.
    pub version: Version,
    /// Whether an `alias` section means anything. Going by the text, as ACR does: `V1.1.0` has no aliases.
    pub has_aliases: bool,
}

const KNOWN: [(&str, Version); 3] = [
    ("v1.1.0", Version::V1_1_0),
    ("v1.0.0", Version::V1_0_0),
    ("1.0-preview-1", Version::Preview1),
];

/// Reads the `version`; without one it is the first.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Declared {
    let Some(text) = reader.owned(field) else {
        return Declared {
            version: Version::default(),
            has_aliases: false,
        };
    };
    let lower = text.to_lowercase();
    let version = KNOWN.iter().find(|(name, _)| *name == lower);
    if version.is_none() {
        let near = did_you_mean(&text, KNOWN.iter().map(|(name, _)| *name)).unwrap_or("v1.1.0");
        let message =
            format!("invalid version specified: \"{text}\", the current version is \"v1.0.0\"");
        let finding = Diagnostic::error(codes::VERSION, message);
        let finding = match field {
            Some(field) => finding.at(field.span()),
            None => finding,
        };
        reader.report(finding.help(format!("write `version: {near}`")));
    }
    Declared {
        version: version.map(|(_, version)| *version).unwrap_or_default(),
        // What a wrong version was meant to have is not ours to say.
        has_aliases: text.as_str() >= "v1.1.0" || version.is_none(),
    }
}

/// Warns about an `alias` section that the version does not have.
pub(super) fn check_alias(reader: &mut Reader<'_>, field: Option<Field<'_>>, declared: &Declared) {
    let Some(field) = field.filter(|_| !declared.has_aliases) else {
        return;
    };
    let finding = Diagnostic::warning(codes::NO_EFFECT, "`alias` has no effect in this version");
    let finding = finding.at(field.key.span).label("aliases came with v1.1.0");
    reader.report(finding.help("write `version: v1.1.0`, in small letters"));
}
