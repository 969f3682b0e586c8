//! Version constraints like `>=1.2, <2` and `~1.2.x`.
use super::{Parts, Version};
use std::cmp::Ordering;

/// Lists the operators, longer ones before those they start with.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::Not),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

/// Says whether a version satisfies a constraint: any of the parts between `||`, each wholly.
pub fn satisfies(constraint: &str, version: &str) -> Result<bool, String> {
    let constraint = spell_out_ranges(constraint);
    let mut alternatives = Vec::new();
    for alternative in constraint.split("||") {
        let parts: Result<Vec<_>, _> = alternative.split(',').map(Constraint::parse).collect();
        alternatives.push(parts?);
    }
    let version = Version::parse(version)?;
    Ok(alternatives
        .iter()
        .any(|parts| parts.iter().all(|part| part.allows(&version))))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Not,
    Above,
    Below,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

#[derive(Debug)]
struct Constraint {
    operator: Operator,
    version: Version,
    /// Some number is left out or a wildcard.
    is_partial: bool,
    /// The minor number is.
    any_minor: bool,
    /// The patch number is a wildcard.
    any_patch: bool,
}

impl Constraint {
    fn parse(text: &str) -> Result<Self, String> {
        let improper = || format!("improper constraint: {text}");
        let trimmed = text.trim_matches(is_blank);
        let (mark, operator) = OPERATORS
            .iter()
            .find(|(mark, _)| trimmed.starts_with(mark))
            .ok_or_else(improper)?;
        let rest = trimmed[mark.len()..].trim_start_matches(is_blank);
        let parts = Parts::read(rest, counts)
            .filter(|parts| parts.rest.is_empty())
            .ok_or_else(improper)?;
        let [major, minor, patch] = parts.numbers;
        let tail = if parts.prerelease.is_empty() {
            String::new()
        } else {
            format!("-{}", parts.prerelease)
        };
        let (any_major, any_minor) = (is_wildcard(major), is_wildcard(minor) || minor.is_empty());
        let any_patch = !any_major && !any_minor && is_wildcard(patch);
        let spelled = match (any_major, any_minor, any_patch) {
            (true, ..) => "0.0.0".to_owned(),
            (_, true, _) => format!("{major}.0.0{tail}"),
            (_, _, true) => format!("{major}.{minor}.0{tail}"),
            _ => rest.to_owned(),
        };
        let version = Version::parse(&spelled).map_err(|_| "constraint Parser Error")?;
        let any_minor = any_minor && !any_major;
        Ok(Constraint {
            operator: *operator,
            version,
            is_partial: any_major || any_minor || any_patch,
            any_minor,
            any_patch,
        })
    }

    fn allows(&self, version: &Version) -> bool {
        let prerelease_out_of_place =
            !version.prerelease.is_empty() && self.version.prerelease.is_empty();
        let order = version.order(&self.version);
        match self.operator {
            Operator::Not if !self.is_partial => order != Ordering::Equal,
            _ if prerelease_out_of_place => false,
            Operator::Not => {
                self.version.major != version.major
                    || self.version.minor != version.minor && !self.any_minor
            }
            Operator::Above => order == Ordering::Greater,
            Operator::AtLeast => order != Ordering::Less,
            Operator::Below if !self.is_partial => order == Ordering::Less,
            Operator::AtMost if !self.is_partial => order != Ordering::Greater,
            Operator::Below | Operator::AtMost => {
                version.major <= self.version.major
                    && (version.minor <= self.version.minor || self.any_minor)
            }
            Operator::Equal if !self.is_partial => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.is_near(version, order),
            Operator::Caret => order != Ordering::Less && version.major == self.version.major,
        }
    }

    /// Says whether major and minor agree, as far as they are given.
    fn is_near(&self, version: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        if order == Ordering::Less {
            return false;
        }
        let is_anything = (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0)
            && !self.any_minor
            && !self.any_patch;
        is_anything
            || version.major == wanted.major && (version.minor == wanted.minor || self.any_minor)
    }
}

fn is_wildcard(text: &str) -> bool {
    matches!(text, "x" | "X" | "*")
}

/// Says what may stand in a number of a constraint; a bar does by a slip in the library's expression.
fn counts(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// Rewrites `1.2 - 2.3` as `>= 1.2, <= 2.3`.
fn spell_out_ranges(text: &str) -> String {
    let mut spelled = String::new();
    let mut rest = text;
    while let Some(dash) = rest.find(" - ").or_else(|| rest.find("\t-")) {
        let (before, after) = (
            rest[..dash].trim_end_matches(is_blank),
            rest[dash + 2..].trim_start_matches(is_blank),
        );
        let start = before
            .rfind(|character: char| is_blank(character) || character == ',')
            .map_or(0, |at| at + 1);
        let bounds = (
            Parts::read(&before[start..], counts),
            Parts::read(after, counts),
        );
        let (Some(low), Some(high)) = bounds else {
            break;
        };
        let upper = &after[..after.len() - high.rest.len()];
        if !low.rest.is_empty() {
            break;
        }
        spelled.push_str(&format!(
            "{}>= {}, <= {upper}",
            before[..start].trim_end_matches(is_blank),
            &before[start..]
        ));
        rest = high.rest;
    }
    spelled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_hold_as_the_library_says() {
        for (constraint, version, expected) in [
            ("^1.2.0", "1.9.9", Ok(true)),
            ("^1.2.0", "2.0.0", Ok(false)),
            ("~1.2.3", "1.2.9", Ok(true)),
            ("~1.2.3", "1.3.0", Ok(false)),
            (">=1.2, <2 || 3.x", "3.7.1", Ok(true)),
            ("1.2 - 2.3.4", "2.3.4", Ok(true)),
            ("1.2 - 2.3.4", "2.3.5", Ok(false)),
            ("*", "0.1.0", Ok(true)),
            (">1.0", "1.5.0-rc1", Ok(false)),
            ("!=1.2.x", "1.2.7", Ok(false)),
        ] {
            assert_eq!(
                satisfies(constraint, version),
                expected,
                "{constraint} {version}"
            );
        }
        assert!(satisfies("banana", "1.0.0").is_err());
        assert!(satisfies(">=1", "banana").is_err());
    }
}
