//! What registries and networks say no with, in our words.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use url::Url;

use super::Scope;
use crate::ports::{RegistryError, Repository, written};

/// The most of a refusal that is read, in bytes.
const REFUSAL_BYTES: usize = 64 << 10;
/// The most of a refusal that is repeated, in characters.
const REASON_CHARACTERS: usize = 300;

/// What a call was about.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'a> {
    /// The registry itself.
    Registry,
    /// The repository.
    Repository,
    /// A manifest, by tag or digest.
    Manifest(&'a str),
    /// A blob, by digest.
    Blob(&'a str),
}

/// Says why a request brought no answer.
pub(super) fn unsent(url: &Url, error: &reqwest::Error) -> RegistryError {
    let host = url.authority().to_owned();
    let chain = causes(error);
    // Bytes that we send on come from elsewhere, and it was there that something broke.
    let other = chain
        .iter()
        .find_map(|it| it.downcast_ref::<RegistryError>());
    if let Some(other) = other {
        return other.clone();
    }
    let tls = chain
        .iter()
        .find_map(|it| it.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        let reason = tls.to_string();
        return RegistryError::Tls { host, reason };
    }
    let reason = match chain.last() {
        _ if error.is_timeout() => "it does not answer in time".to_owned(),
        Some(innermost) => innermost.to_string(),
        None => error.to_string(),
    };
    RegistryError::Unreachable { host, reason }
}

/// Lists what lies behind an error, also what its own `source` steps over: an input-output error names the cause of
/// what it wraps, not what it wraps.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut found: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        found.push(cause);
        let wrapped = cause.downcast_ref::<std::io::Error>();
        next = match wrapped.and_then(std::io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => cause.source(),
        };
    }
    found
}

/// Reads a body of limited size.
pub(super) async fn limited(response: Response, limit: usize) -> Result<Bytes, RegistryError> {
    let url = response.url().clone();
    let mut body = BytesMut::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece.map_err(|error| unsent(&url, &error))?);
        if body.len() > limit {
            return Err(RegistryError::Odd {
                host: url.authority().to_owned(),
                reason: format!("it sends more than {limit} bytes where few are expected"),
            });
        }
    }
    Ok(body.freeze())
}

/// How long a registry asks us to wait: seconds, or a date.
pub(super) fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    (until.to_utc() - Utc::now()).to_std().ok()
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Entry>,
    message: Option<String>,
    details: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What a refusal says for people; empty when it says nothing.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(read) = serde_json::from_slice::<Body>(body) else {
        return String::new();
    };
    let own = read.errors.into_iter().map(|it| it.message);
    let words: Vec<String> = own
        .chain(read.message)
        .chain(read.details)
        .filter(|it| !it.is_empty())
        .collect();
    let text = words.join("; ").replace(char::is_control, " ");
    text.chars().take(REASON_CHARACTERS).collect()
}

fn code(body: &[u8]) -> String {
    let read = serde_json::from_slice::<Body>(body).ok();
    let first = read.and_then(|it| it.errors.into_iter().next());
    first.map_or(String::new(), |it| it.code)
}

/// Reads a refusal.
pub(super) async fn refused(
    response: Response,
    (at, scope): (&Repository, &Scope<'_>),
    about: About<'_>,
) -> RegistryError {
    let (status, wait) = (response.status(), wait_asked(response.headers()));
    let body = limited(response, REFUSAL_BYTES).await.unwrap_or_default();
    let (host, code, reason) = (at.host.clone(), code(&body), message(&body));
    let or_status = |text: String| match text.is_empty() {
        true => format!("it answers {status}"),
        false => text,
    };
    if let ("DIGEST_INVALID", About::Blob(digest)) = (code.as_str(), about) {
        let digest = digest.to_owned();
        return RegistryError::Corrupt { host, digest };
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => denied((at, scope), reason),
        StatusCode::NOT_FOUND => missing(at, about, &code),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            let reason = or_status(reason);
            RegistryError::Unsupported { host, reason }
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            busy(host, or_status(reason), wait)
        }
        status if status.is_server_error() => busy(host, or_status(reason), wait),
        _ => {
            let reason = format!("it answers {status} {reason}")
                .trim_end()
                .to_owned();
            RegistryError::Odd { host, reason }
        }
    }
}

fn busy(host: String, reason: String, retry_after: Option<Duration>) -> RegistryError {
    RegistryError::Busy {
        host,
        reason,
        retry_after,
    }
}

/// The right is missing.
pub(super) fn denied((at, scope): (&Repository, &Scope<'_>), reason: String) -> RegistryError {
    RegistryError::Denied {
        host: at.host.clone(),
        repository: at.path.clone(),
        right: scope.right,
        username: at.login.as_ref().map(|it| it.username.clone()),
        reason,
    }
}

fn missing(at: &Repository, about: About<'_>, code: &str) -> RegistryError {
    match about {
        About::Registry => RegistryError::Odd {
            host: at.host.clone(),
            reason: "it knows no /v2/".to_owned(),
        },
        _ if code == "NAME_UNKNOWN" => no_repository(at),
        About::Repository => no_repository(at),
        About::Manifest(name) => RegistryError::NoSuchTag {
            image: written(at, name),
        },
        About::Blob(digest) => RegistryError::NoSuchBlob {
            repository: at.name(),
            digest: digest.to_owned(),
        },
    }
}

fn no_repository(at: &Repository) -> RegistryError {
    RegistryError::NoSuchRepository {
        repository: at.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_read_as_seconds_and_as_a_date() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            wait_asked(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        let soon = (Utc::now() + chrono::TimeDelta::seconds(90)).to_rfc2822();
        assert!(asked(&soon).is_some_and(|it| it > Duration::from_secs(80)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(asked("soon"), None);
    }

    #[test]
    fn messages_are_short_and_on_one_line() {
        let long = "x".repeat(1000);
        for (body, expected) in [
            (
                r#"{"errors": [{"code": "A", "message": "no\nway"}]}"#.to_owned(),
                "no way",
            ),
            (r#"{"details": "bad token"}"#.to_owned(), "bad token"),
            ("<html>".to_owned(), ""),
            (format!(r#"{{"message": "{long}"}}"#), &long[..300]),
        ] {
            assert_eq!(message(body.as_bytes()), expected);
        }
    }
}
