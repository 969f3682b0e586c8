//! How a registry asks for a login: the `WWW-Authenticate` header.

use std::sync::LazyLock;

use regex::Regex;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What a registry wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password, in every call.
    Basic,
    /// A token of a service, which wants to see user and password instead.
    Bearer {
        /// The service's address.
        realm: String,
        /// What the service calls the registry.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

/// One parameter of a challenge, quoted or not.
static PARAMETER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"([a-zA-Z_]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))"#).expect("a constant")
});

/// Finds the challenge that is understood best; tokens before passwords.
pub(super) fn read(headers: &HeaderMap) -> Option<Challenge> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter();
    let read: Vec<Challenge> = texts
        .filter_map(|value| parse(value.to_str().ok()?))
        .collect();
    let bearer = |it: &&Challenge| matches!(it, Challenge::Bearer { .. });
    read.iter().find(bearer).or(read.first()).cloned()
}

fn parse(text: &str) -> Option<Challenge> {
    let text = text.trim();
    let (scheme, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameter = |name: &str| {
        PARAMETER.captures_iter(rest).find_map(|found| {
            let is_it = found[1].eq_ignore_ascii_case(name);
            let value = found.get(2).or(found.get(3))?.as_str();
            is_it.then(|| value.replace('\\', ""))
        })
    };
    Some(Challenge::Bearer {
        realm: parameter("realm")?,
        service: parameter("service"),
        scope: parameter("scope"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let cases: [(&[&str], Option<Challenge>); 8] = [
            (&["Basic realm=\"Registry\""], Some(Challenge::Basic)),
            (&["basic"], Some(Challenge::Basic)),
            (
                &[r#"Bearer realm="https://a/t",service="s",scope="repository:x/y:pull,push""#],
                bearer("https://a/t", Some("s"), Some("repository:x/y:pull,push")),
            ),
            (
                &[r#"bearer scope = "a" , realm = "https://a/t?x=1""#],
                bearer("https://a/t?x=1", None, Some("a")),
            ),
            (
                &["Bearer realm=https://a/t"],
                bearer("https://a/t", None, None),
            ),
            (
                &["Basic realm=\"r\"", "Bearer realm=\"https://a\""],
                bearer("https://a", None, None),
            ),
            (&["Bearer service=\"s\""], None),
            (&["Negotiate"], None),
        ];
        for (texts, expected) in cases {
            let mut headers = HeaderMap::new();
            for text in texts {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap());
            }
            assert_eq!(read(&headers), expected, "{texts:?}");
        }
    }
}
