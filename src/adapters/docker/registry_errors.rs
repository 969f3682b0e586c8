//! What registries say through the engine, in our words.

use crate::ports::EngineError;

/// Words by which a kind of refusal is known; statuses do not tell them apart.
const UNAUTHORIZED: [&str; 6] = [
    "unauthorized",
    "no basic auth credentials",
    "authentication required",
    "incorrect username or password",
    "access denied",
    "requested access to the resource is denied",
];

const NOT_FOUND: [&str; 8] = [
    "manifest unknown",
    "manifest for ",
    "repository does not exist",
    "no matching manifest",
    "does not exist locally",
    "tag does not exist",
    "name unknown",
    "not found",
];

const UNREACHABLE: [&str; 27] = [
    "connection refused",
    "connection reset",
    "no such host",
    "server misbehaving",
    "i/o timeout",
    "tls handshake timeout",
    "context deadline exceeded",
    "client.timeout",
    "network is unreachable",
    "no route to host",
    "http response to https client",
    "x509:",
    "unexpected eof",
    "transport connection broken",
    "broken pipe",
    "use of closed network connection",
    ": eof",
    "toomanyrequests",
    "429 too many requests",
    "error parsing http 429 ",
    "error parsing http 5",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway timeout",
    "unexpected status code 5",
    "unexpected http status: 5",
];

/// Reads an error of a pull or push, or of a build that looks for its bases.
pub(super) fn registry_error(error: EngineError, reference: &str) -> EngineError {
    let (EngineError::Other(reason) | EngineError::NotFound(reason)) = error else {
        return error;
    };
    let reference = reference.to_string();
    let lower = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // A registry that hides what it does not show says both, so this comes before the refusal.
    if says(&["repository does not exist or may require"]) || says(&["insufficient_scope"]) {
        EngineError::ImageNotFound { reference, reason }
    } else if says(&UNAUTHORIZED) {
        EngineError::Unauthorized { reference, reason }
    } else if says(&UNREACHABLE) {
        EngineError::RegistryUnreachable { reference, reason }
    } else if says(&NOT_FOUND) {
        EngineError::ImageNotFound { reference, reason }
    } else {
        EngineError::Other(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_a_registry_is_known_by_its_words() {
        for (text, kind) in [
            (
                "manifest for h/a:1 not found: manifest unknown: manifest unknown",
                "ImageNotFound",
            ),
            (
                "pull access denied for x, repository does not exist or may require 'docker login'",
                "ImageNotFound",
            ),
            (
                "no matching manifest for linux/arm64 in the manifest list entries",
                "ImageNotFound",
            ),
            (
                "An image does not exist locally with the tag: h/a",
                "ImageNotFound",
            ),
            ("tag does not exist: h/a:1", "ImageNotFound"),
            (
                "Head \"http://h/v2/a/manifests/1\": no basic auth credentials",
                "Unauthorized",
            ),
            ("unauthorized: authentication required", "Unauthorized"),
            (
                "denied: requested access to the resource is denied",
                "Unauthorized",
            ),
            (
                "Get \"https://h/v2/\": dial tcp 1.2.3.4:443: connect: connection refused",
                "RegistryUnreachable",
            ),
            (
                "Get \"https://h/v2/\": dial tcp: lookup h: no such host",
                "RegistryUnreachable",
            ),
            (
                "Get \"https://h/v2/\": x509: certificate signed by unknown authority",
                "RegistryUnreachable",
            ),
            (
                "received unexpected HTTP status: 503 Service Unavailable",
                "RegistryUnreachable",
            ),
            ("Get \"https://h/v2/\": EOF", "RegistryUnreachable"),
            (
                "error parsing HTTP 429 response body: unexpected end of JSON input: \"\"",
                "RegistryUnreachable",
            ),
            (
                "Get \"http://h/v2/\": net/http: HTTP/1.x transport connection broken: malformed HTTP response \"HTTP/\"",
                "RegistryUnreachable",
            ),
            (
                "unexpected status code [manifests 1]: 429 Too Many Requests",
                "RegistryUnreachable",
            ),
            (
                "unexpected status from HEAD request to https://h/v2/a/manifests/1: 503 Service Unavailable",
                "RegistryUnreachable",
            ),
            (
                "toomanyrequests: You have reached your pull rate limit",
                "RegistryUnreachable",
            ),
            ("invalid reference format", "Other"),
        ] {
            let error = registry_error(EngineError::Other(text.to_string()), "h/a:1");
            assert!(format!("{error:?}").starts_with(kind), "{text}: {error:?}");
        }
    }
}
