//! Following an image's new tags: which of a repository's tags is the newest that a rule allows.

use globset::{GlobBuilder, GlobMatcher};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule by which new tags of a base image start a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// The image, without a tag, as the Dockerfile names it.
    pub image: String,
    /// Versions to follow, such as `>=1.22, <2` or `^1.22 || ^2`; tags with another suffix (`-alpine`) than the
    /// present one are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
    /// Tags to follow, by glob, such as `2026-*`; the last by name is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The build argument, or value of the task file, that a run gets the new tag in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sets: Option<String>,
}

impl Follow {
    /// Says what is wrong with the rule.
    pub fn check(&self) -> Result<(), String> {
        match (&self.versions, &self.pattern) {
            (Some(versions), None) => ranges(versions).map(drop),
            (None, Some(pattern)) => glob(pattern).map(drop),
            _ => Err("it has either versions or a pattern".to_owned()),
        }
    }

    /// The rule in words, for keys and messages.
    pub fn words(&self) -> &str {
        let words = self.versions.as_deref().or(self.pattern.as_deref());
        words.unwrap_or_default()
    }

    /// The newest of the tags that the rule allows; `present` is the tag that is followed on from.
    pub fn newest<'a>(&self, present: &str, tags: &'a [String]) -> Option<&'a String> {
        if let Some(pattern) = &self.pattern {
            let glob = glob(pattern).ok()?;
            return tags.iter().filter(|tag| glob.is_match(tag)).max();
        }
        let ranges = ranges(self.versions.as_deref()?).ok()?;
        let suffix = version(present).map_or("", |it| it.1);
        let allowed = tags.iter().filter_map(|tag| {
            let (version, own_suffix) = version(tag)?;
            let is_allowed = ranges.iter().any(|range| range.matches(&version));
            (is_allowed && own_suffix == suffix).then_some((version, tag))
        });
        // Of `1.22` and `1.22.0` the longer one says more.
        let newest = allowed.max_by(|a, b| (&a.0, a.1.len()).cmp(&(&b.0, b.1.len())));
        newest.map(|it| it.1)
    }
}

fn ranges(text: &str) -> Result<Vec<VersionReq>, String> {
    let range = |part: &str| {
        VersionReq::parse(part.trim()).map_err(|error| {
            format!("{part:?} is no range of versions: {error}; write >=1.2, <2 with a comma")
        })
    };
    text.split("||").map(range).collect()
}

fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| format!("{pattern:?} is no pattern: {error}"))?;
    Ok(glob.compile_matcher())
}

/// Reads a tag as a version and what is behind it: `v1.2-alpine` is 1.2.0 and `-alpine`.
fn version(tag: &str) -> Option<(Version, &str)> {
    let bare = tag.strip_prefix('v').unwrap_or(tag);
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let end = bare.find(|c| !is_part(c)).unwrap_or(bare.len());
    let (numbers, suffix) = bare.split_at(end);
    let parts: Vec<u64> = numbers
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    if parts.len() > 3 {
        return None;
    }
    let part = |index: usize| parts.get(index).copied().unwrap_or(0);
    Some((Version::new(part(0), part(1), part(2)), suffix))
}

#[cfg(test)]
mod tests {
    use super::Follow;

    fn newest(versions: Option<&str>, pattern: Option<&str>, present: &str, tags: &str) -> String {
        let rule = Follow {
            image: "golang".to_owned(),
            versions: versions.map(str::to_owned),
            pattern: pattern.map(str::to_owned),
            sets: None,
        };
        rule.check().unwrap();
        let tags: Vec<String> = tags.split(' ').map(str::to_owned).collect();
        rule.newest(present, &tags).cloned().unwrap_or_default()
    }

    #[test]
    fn the_newest_tag_in_the_range_and_of_the_same_kind_is_followed() {
        for (range, present, tags, expected) in [
            (
                "^1.22",
                "1.22.1",
                "1.22.1 1.23.4 1.9 2.0.0 latest",
                "1.23.4",
            ),
            (
                "^1.22",
                "1.22-alpine",
                "1.23.4 1.23.3-alpine 1.24-rc1",
                "1.23.3-alpine",
            ),
            (">=20, <24.5", "20.04", "20.04 22.04 24.04 24.10", "24.04"),
            ("^1 || ^3", "v1.0", "v1.5 2.9 v3.0.1", "v3.0.1"),
            ("^1.22", "1.22", "1.22 1.22.0", "1.22.0"),
            ("^9", "9", "1 2 3", ""),
        ] {
            assert_eq!(
                newest(Some(range), None, present, tags),
                expected,
                "{range}"
            );
        }
        assert_eq!(
            newest(None, Some("2026-*"), "2026-01", "2026-01 2026-11 2027-01 x"),
            "2026-11"
        );
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused() {
        let rule = |versions: Option<&str>, pattern: Option<&str>| Follow {
            image: "golang".to_owned(),
            versions: versions.map(str::to_owned),
            pattern: pattern.map(str::to_owned),
            sets: None,
        };
        for (rule, reason) in [
            (rule(None, None), "either"),
            (rule(Some("1"), Some("*")), "either"),
            (rule(Some(">=1 <2"), None), "comma"),
            (rule(None, Some("[")), "no pattern"),
        ] {
            let error = rule.check().unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
