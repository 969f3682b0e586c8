//! Prints the one struct a template can hold bare: a semantic version.
use super::printer::Printer;
use crate::template::semver::Version;
use crate::template::value::Value;

/// Lists a version's fields under their Go names.
pub(super) fn fields(version: &Version) -> [(&'static str, Value); 6] {
    [
        ("major", Value::int64(version.major)),
        ("minor", Value::int64(version.minor)),
        ("patch", Value::int64(version.patch)),
        ("pre", Value::text(&version.prerelease)),
        ("metadata", Value::text(&version.metadata)),
        ("original", Value::text(&version.original)),
    ]
}

impl Printer<'_> {
    pub(super) fn structure(
        &mut self,
        type_name: &str,
        fields: &[(&str, Value)],
        verb: char,
        depth: usize,
    ) -> Result<(), String> {
        if self.flags.sharp_v {
            self.write(type_name.as_bytes())?;
        }
        self.write(b"{")?;
        for (index, (name, value)) in fields.iter().enumerate() {
            if index > 0 {
                self.separator()?;
            }
            if self.flags.plus_v || self.flags.sharp_v {
                self.write(format!("{name}:").as_bytes())?;
            }
            self.value(value, verb, depth + 1)?;
        }
        self.write(b"}")
    }
}
