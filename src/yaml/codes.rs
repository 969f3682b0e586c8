//! The codes of the findings about a YAML text; they are stable between versions.

/// The text is not YAML.
pub const SYNTAX: &str = "yaml-syntax";
/// A key that is a map or a list.
pub const BAD_KEY: &str = "bad-key";
/// A value that is not what its tag claims.
pub const BAD_TAG: &str = "bad-tag";
/// Text that nobody reads.
pub const IGNORED_TEXT: &str = "ignored-text";
