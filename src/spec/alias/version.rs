//! Finds the version line of a file before it can be read as YAML.

/// The first version with aliases.
const FIRST_WITH_ALIASES: &str = "v1.1.0";

/// Finds what is written behind `version:` at the start of a line, without blanks and quotes.
pub fn version_text<'t>(text: &'t str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        if line.starts_with(char::is_whitespace) {
            return None;
        }
        let (key, value) = line.split_once(':')?;
        let bare = |part: &'t str| part.trim().trim_matches(['\'', '"']);
        (bare(key) == "version").then(|| bare(value))
    })
}

/// Says whether a version has aliases. ACR compares texts, so that `V1.1.0` has none.
pub fn has_aliases(version: Option<&str>) -> bool {
    version.unwrap_or_default() >= FIRST_WITH_ALIASES
}
