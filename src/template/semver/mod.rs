//! Semantic versions and constraints as Masterminds/semver reads them.
mod constraint;

pub use constraint::satisfies;

use std::cmp::Ordering;
use std::fmt;

/// Is a semantic version; minor and patch may have been left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// First number.
    pub major: i64,
    /// Second number.
    pub minor: i64,
    /// Third number.
    pub patch: i64,
    /// What follows a dash.
    pub prerelease: String,
    /// What follows a plus sign.
    pub metadata: String,
    /// The text as given.
    pub original: String,
}

/// Is which number of a version goes up by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first number.
    Major,
    /// The second.
    Minor,
    /// The third.
    Patch,
}

impl Version {
    /// Reads a version, with or without a leading `v`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || "Invalid Semantic Version".to_owned();
        let parts = Parts::read(text, |byte| byte.is_ascii_digit())
            .filter(|parts| parts.rest.is_empty())
            .ok_or_else(invalid)?;
        let number = |digits: &str| match digits {
            "" => Ok(0),
            digits => digits
                .parse()
                .map_err(|_| format!("Error parsing version segment: {digits:?} is out of range")),
        };
        Ok(Version {
            major: number(parts.numbers[0])?,
            minor: number(parts.numbers[1])?,
            patch: number(parts.numbers[2])?,
            prerelease: parts.prerelease.into(),
            metadata: parts.metadata.into(),
            original: text.into(),
        })
    }

    /// Answers the next version; a prerelease of a patch only loses its prerelease.
    pub fn next(&self, step: Step) -> Self {
        let mut next = Version {
            prerelease: String::new(),
            metadata: String::new(),
            ..self.clone()
        };
        match step {
            Step::Patch if !self.prerelease.is_empty() => {}
            Step::Patch => next.patch += 1,
            Step::Minor => (next.minor, next.patch) = (self.minor + 1, 0),
            Step::Major => (next.major, next.minor, next.patch) = (self.major + 1, 0, 0),
        }
        next.renamed(self)
    }

    /// Answers the version with another prerelease or other metadata.
    pub fn with(&self, prerelease: Option<&str>, metadata: Option<&str>) -> Result<Self, String> {
        for (text, fault) in [
            (prerelease, "Invalid Prerelease string"),
            (metadata, "Invalid Metadata string"),
        ] {
            if text.is_some_and(|text| !text.is_empty() && identifiers(text) != text.len()) {
                return Err(fault.into());
            }
        }
        let mut changed = self.clone();
        changed.prerelease = prerelease.map_or(changed.prerelease, str::to_owned);
        changed.metadata = metadata.map_or(changed.metadata, str::to_owned);
        Ok(changed.renamed(self))
    }

    fn renamed(mut self, before: &Version) -> Self {
        let prefix = if before.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        self.original = format!("{prefix}{self}");
        self
    }

    /// Orders two versions; a prerelease stands before its release, and metadata does not count.
    pub fn order(&self, other: &Version) -> Ordering {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        let prereleases = || match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => order_prereleases(&self.prerelease, &other.prerelease),
        };
        numbers(self).cmp(&numbers(other)).then_with(prereleases)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (mark, text) in [('-', &self.prerelease), ('+', &self.metadata)] {
            if !text.is_empty() {
                write!(formatter, "{mark}{text}")?;
            }
        }
        Ok(())
    }
}

fn order_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Is the text of a version cut into its parts.
struct Parts<'t> {
    numbers: [&'t str; 3],
    prerelease: &'t str,
    metadata: &'t str,
    rest: &'t str,
}

impl<'t> Parts<'t> {
    /// Cuts a version off the start of a text; what may stand as a number differs in constraints.
    fn read(text: &'t str, counts: impl Fn(u8) -> bool) -> Option<Self> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = [""; 3];
        for (index, slot) in numbers.iter_mut().enumerate() {
            let body = if index == 0 {
                Some(rest)
            } else {
                rest.strip_prefix('.')
            };
            let Some(body) = body else { break };
            let length = body
                .bytes()
                .position(|byte| !counts(byte))
                .unwrap_or(body.len());
            if length == 0 {
                break;
            }
            (*slot, rest) = body.split_at(length);
        }
        if numbers[0].is_empty() {
            return None;
        }
        let mut tail = |mark: char| {
            let Some(body) = rest.strip_prefix(mark) else {
                return "";
            };
            let (taken, after) = body.split_at(identifiers(body));
            if !taken.is_empty() {
                rest = after;
            }
            taken
        };
        let (prerelease, metadata) = (tail('-'), tail('+'));
        Some(Parts {
            numbers,
            prerelease,
            metadata,
            rest,
        })
    }
}

/// Measures dot-separated identifiers at the start of a text.
fn identifiers(text: &str) -> usize {
    let mut end = 0;
    for part in text.split('.') {
        let length = part
            .bytes()
            .position(|byte| !byte.is_ascii_alphanumeric() && byte != b'-')
            .unwrap_or(part.len());
        if length == 0 {
            break;
        }
        end = (part.as_ptr() as usize - text.as_ptr() as usize) + length;
        if length < part.len() {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_prints_with_all_its_parts() {
        for (text, printed) in [
            ("1.2.3", Some("1.2.3")),
            ("v1.2", Some("1.2.0")),
            ("1", Some("1.0.0")),
            ("1.2.3-rc.1+build.5", Some("1.2.3-rc.1+build.5")),
            ("1.2.3.4", None),
            ("1.2.3-", None),
            ("1.2.3-a..b", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(
                Version::parse(text)
                    .ok()
                    .map(|version| version.to_string())
                    .as_deref(),
                printed,
                "{text}"
            );
        }
    }

    #[test]
    fn prereleases_are_ordered_by_their_identifiers() {
        let ordered = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-a",
            "1.0.0-a.1",
            "1.0.0-b",
            "1.0.0",
            "1.0.1",
        ];
        for pair in ordered.windows(2) {
            let versions: Vec<Version> = pair
                .iter()
                .filter_map(|text| Version::parse(text).ok())
                .collect();
            assert_eq!(versions[0].order(&versions[1]), Ordering::Less, "{pair:?}");
        }
    }
}
