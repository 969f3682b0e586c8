//! Which of the server's credentials the runs of a token may use.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Right;

/// A right on the repositories at or below one place: `pull:r.io/team`, `push:r.io/team/app`, `pull:*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialScope {
    may_push: bool,
    /// Host, or host and path; empty is everywhere.
    place: String,
}

/// All that a token's runs may use credentials for; where it is empty, they are given none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialScopes(Vec<CredentialScope>);

impl CredentialScope {
    /// Says whether it gives a right on a path of a host; without a path, on all of the host.
    fn allows(&self, host: &str, path: &str, right: Right) -> bool {
        if right != Right::Pull && !self.may_push {
            return false;
        }
        let (own_host, own_path) = match self.place.split_once('/') {
            Some(parts) => parts,
            None => (self.place.as_str(), ""),
        };
        let is_below = path
            .strip_prefix(own_path)
            .is_some_and(|rest| own_path.is_empty() || rest.is_empty() || rest.starts_with('/'));
        own_host.is_empty() || (own_host.eq_ignore_ascii_case(host) && is_below)
    }
}

impl CredentialScopes {
    /// Reads scopes as people write them; `none` alone stands for no scope at all.
    pub fn parse(words: &[String]) -> Result<CredentialScopes, String> {
        match words {
            [word] if word == "none" => Ok(CredentialScopes::default()),
            words => {
                let scopes: Result<Vec<_>, _> = words.iter().map(|it| it.parse()).collect();
                scopes.map(CredentialScopes)
            }
        }
    }

    /// Says whether they give a right on a path of a host; without a path, on all of the host.
    pub fn allow(&self, host: &str, path: &str, right: Right) -> bool {
        self.0.iter().any(|it| it.allows(host, path, right))
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = if self.may_push { "push" } else { "pull" };
        let place = match self.place.as_str() {
            "" => "*",
            place => place,
        };
        write!(f, "{right}:{place}")
    }
}

impl fmt::Display for CredentialScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("none"),
            scopes => {
                let words: Vec<String> = scopes.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

impl FromStr for CredentialScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (may_push, place) = match (text.strip_prefix("pull:"), text.strip_prefix("push:")) {
            (Some(place), _) => (false, place),
            (None, Some(place)) => (true, place),
            (None, None) => return Err(format!("{text:?} begins with neither pull: nor push:")),
        };
        let place = place.trim_end_matches('/');
        let is_fine = |c: char| c.is_ascii_alphanumeric() || "-_./:[]".contains(c);
        let is_place = !place.is_empty() && !place.starts_with('/') && place.chars().all(is_fine);
        match place {
            "*" => Ok(CredentialScope {
                may_push,
                place: String::new(),
            }),
            place if is_place => Ok(CredentialScope {
                may_push,
                place: place.to_owned(),
            }),
            _ => Err(format!(
                "{text:?} names no registry, such as pull:r.io/team"
            )),
        }
    }
}

impl TryFrom<String> for CredentialScope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CredentialScope> for String {
    fn from(scope: CredentialScope) -> String {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> CredentialScopes {
        let words: Vec<String> = text.split(',').map(str::to_owned).collect();
        CredentialScopes::parse(&words).unwrap()
    }

    #[test]
    fn a_scope_is_a_right_at_or_below_a_place() {
        for (said, host, path, right, expected) in [
            ("pull:r.io/team", "r.io", "team/app", Right::Pull, true),
            ("pull:r.io/team", "R.IO", "team", Right::Pull, true),
            ("pull:r.io/team", "r.io", "teamwork", Right::Pull, false),
            ("pull:r.io/team", "other.io", "team", Right::Pull, false),
            ("pull:r.io/team", "r.io", "team/app", Right::Push, false),
            ("push:r.io/team", "r.io", "team/app", Right::Push, true),
            ("push:r.io/team", "r.io", "team/app", Right::Pull, true),
            ("push:r.io/team", "r.io", "", Right::Pull, false),
            ("pull:r.io:5000", "r.io:5000", "", Right::Pull, true),
            ("pull:*", "any.io", "x", Right::Pull, true),
            ("pull:*", "any.io", "x", Right::Delete, false),
            ("pull:a.io,push:r.io/x", "r.io", "x", Right::Push, true),
            ("none", "r.io", "x", Right::Pull, false),
        ] {
            let found = scopes(said).allow(host, path, right);
            assert_eq!(found, expected, "{said}: {right} {host}/{path}");
        }
    }

    #[test]
    fn scopes_are_kept_as_they_are_written_and_odd_ones_refused() {
        for text in [
            "pull:r.io/team",
            "push:*",
            "pull:a.io,push:[::1]:5000/x",
            "none",
        ] {
            let json = serde_json::to_string(&scopes(text)).unwrap();
            let kept: CredentialScopes = serde_json::from_str(&json).unwrap();
            assert_eq!((kept.to_string().as_str(), kept), (text, scopes(text)));
        }
        for odd in ["", "r.io", "pull:", "pull:/x", "push:r.io/ x", "write:r.io"] {
            assert!(CredentialScopes::parse(&[odd.to_owned()]).is_err(), "{odd}");
        }
    }
}
