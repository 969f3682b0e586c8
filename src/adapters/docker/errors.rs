//! What the engine and its connection say, in our words.

use std::{error::Error as StdError, io::ErrorKind};

use bollard::errors::Error;

use crate::ports::EngineError;

use super::dial;

/// What an engine with TLS says to one who speaks plainly.
const WANTS_TLS: &str = "an HTTP request to an HTTPS server";

/// Puts an error of the client into our words; `address` is where the engine was looked for.
pub(super) fn translate(error: Error, address: &str) -> EngineError {
    let unreachable = |reason: String| EngineError::Unreachable {
        address: address.to_string(),
        reason,
    };
    if let Some(known) = carried(&error, address) {
        return known;
    }
    match error {
        Error::DockerResponseServerError { message, .. } if message.contains(WANTS_TLS) => {
            EngineError::Barred {
                address: address.to_string(),
                reason: "it speaks TLS only".to_string(),
                advice: "Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem"
                    .to_string(),
            }
        }
        Error::DockerResponseServerError {
            status_code,
            message,
        } => refused(status_code, message),
        Error::DockerStreamError { error } => refused(500, error),
        Error::SocketNotFoundError(_) => unreachable("there is no such socket".to_string()),
        Error::HyperLegacyError { err } if err.is_connect() => {
            let reason = root_cause(&err);
            match io_kind(&err) {
                Some(ErrorKind::PermissionDenied) => EngineError::PermissionDenied {
                    address: address.to_string(),
                },
                _ => unreachable(reason),
            }
        }
        Error::HyperLegacyError { err } => EngineError::Broken(root_cause(&err)),
        Error::HyperResponseError { err } => EngineError::Broken(root_cause(&err)),
        Error::IOError { err } => EngineError::Broken(root_cause(&err)),
        Error::RequestTimeoutError => EngineError::Broken("no answer in time".to_string()),
        Error::JsonDataError { message, .. } => {
            EngineError::Other(format!("the engine's answer is not understood: {message}"))
        }
        other => EngineError::Other(other.to_string()),
    }
}

/// What an answer with an error status, or an error in a stream, means.
pub(super) fn refused(status: u16, message: String) -> EngineError {
    let lower = message.to_lowercase();
    if lower.contains("no space left on device") {
        return EngineError::DiskFull(message);
    }
    if let Some((_, reference)) = message.split_once("No such image: ") {
        return EngineError::ImageNotFound {
            reference: reference.trim().to_string(),
            reason: "it is not on the engine".to_string(),
        };
    }
    if lower.contains("already in use by container") {
        return EngineError::NameConflict(quoted(&message).unwrap_or(message));
    }
    if lower.contains("has active endpoints") || lower.contains("volume is in use") {
        return EngineError::InUse(message);
    }
    match status {
        404 => EngineError::NotFound(message),
        // As good as gone.
        409 if lower.contains("dead or marked for removal") => EngineError::NotFound(message),
        _ => EngineError::Other(message),
    }
}

/// Takes an object that is gone for one that was removed.
pub(super) fn gone_is_fine(removed: Result<(), EngineError>) -> Result<(), EngineError> {
    match removed {
        Err(EngineError::NotFound(_)) => Ok(()),
        other => other,
    }
}

/// Reads why a container could not be started.
pub(super) fn start_error(error: EngineError) -> EngineError {
    let (EngineError::Other(message) | EngineError::NotFound(message)) = &error else {
        return error;
    };
    if let Some(port) = taken_port(message) {
        return EngineError::PortTaken { port, holder: None };
    }
    // Mounts and working directories fail with the same words, but never speak of `exec:`.
    let Some((_, reason)) = message.split_once("exec: ") else {
        return error;
    };
    let reason = reason.trim_end_matches(": unknown").to_string();
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if says(&["executable file not found", "no such file or directory"]) {
        EngineError::CommandNotFound(reason)
    } else if says(&[
        "permission denied",
        "is a directory",
        "not a directory",
        "exec format error",
    ]) {
        EngineError::CommandNotExecutable(reason)
    } else {
        error
    }
}

/// The address in `Bind for 0.0.0.0:80 failed: port is already allocated` and its sisters.
fn taken_port(message: &str) -> Option<String> {
    let between = |start: &str, end: &str| {
        let (_, rest) = message.split_once(start)?;
        let (address, _) = rest.split_once(end)?;
        Some(address.to_string())
    };
    if message.contains("port is already allocated") {
        return between("Bind for ", " failed");
    }
    if message.contains("address already in use") {
        return between("listen tcp4 ", ": bind")
            .or_else(|| between("listen tcp ", ": bind"))
            .or_else(|| between("listen udp ", ": bind"))
            .or_else(|| Some(bound(&between("failed to bind host port ", ": address")?)));
    }
    None
}

/// The host's side of `for 127.0.0.1:80:172.17.0.2:80/tcp`, or of `127.0.0.1:80/tcp`.
fn bound(mapping: &str) -> String {
    let mapping = mapping.trim_start_matches("for ");
    let (host, rest) = match mapping.find("]:") {
        Some(end) => mapping.split_at(end + 1),
        None => mapping.split_at(mapping.find(':').unwrap_or(mapping.len())),
    };
    let port = rest.trim_start_matches(':').split([':', '/']).next();
    format!("{host}:{}", port.unwrap_or_default())
}

fn quoted(message: &str) -> Option<String> {
    let name = message.split('"').nth(1)?;
    Some(name.trim_start_matches('/').to_string())
}

/// The last cause of an error: `connection refused` rather than `client error`.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let cause = causes(error).last();
    cause.map(|cause| cause.to_string()).unwrap_or_default()
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<std::io::Error>()?.kind()))
}

/// The error that a connection of ours has put into an input or output error.
fn carried(error: &Error, address: &str) -> Option<EngineError> {
    causes(error).find_map(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>()?;
        let known = cause.get_ref()?.downcast_ref::<EngineError>().cloned();
        known.or_else(|| dial::tls_error(cause, address))
    })
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(message: &str) -> EngineError {
        start_error(refused(400, message.to_string()))
    }

    #[test]
    fn a_command_that_cannot_be_run_is_told_apart_from_one_that_is_missing() {
        let old = "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \
                   \"nope\": executable file not found in $PATH: unknown";
        let new = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc \
                   create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or \
                   directory: unknown";
        for message in [old, new] {
            assert!(
                matches!(start(message), EngineError::CommandNotFound(_)),
                "{message}"
            );
        }
        for reason in ["permission denied", "is a directory", "exec format error"] {
            let message = format!("OCI runtime create failed: exec: \"/x\": {reason}: unknown");
            let expected = format!("\"/x\": {reason}");
            assert_eq!(start(&message), EngineError::CommandNotExecutable(expected));
        }
        let mount =
            "OCI runtime create failed: error mounting \"/a\": no such file or directory: unknown";
        assert!(matches!(start(mount), EngineError::Other(_)));
    }

    #[test]
    fn a_taken_port_is_named() {
        for (message, port) in [
            (
                "driver failed programming external connectivity on endpoint x (5f): Bind for 0.0.0.0:80 failed: port \
                 is already allocated",
                "0.0.0.0:80",
            ),
            (
                "driver failed programming external connectivity on endpoint x (5f): Error starting userland proxy: \
                 listen tcp4 127.0.0.1:5000: bind: address already in use",
                "127.0.0.1:5000",
            ),
            (
                "failed to set up container networking: driver failed programming external connectivity on endpoint \
                 x (5f): failed to bind host port for 127.0.0.1:80:172.17.0.2:80/tcp: address already in use",
                "127.0.0.1:80",
            ),
        ] {
            let expected = EngineError::PortTaken {
                port: port.to_string(),
                holder: None,
            };
            assert_eq!(start(message), expected, "{message}");
        }
    }

    #[test]
    fn answers_are_read_by_their_words() {
        let conflict = "Conflict. The container name \"/a-b\" is already in use by container \"5f\". You have to remove";
        assert_eq!(
            refused(409, conflict.into()),
            EngineError::NameConflict("a-b".into())
        );
        let image = refused(404, "No such image: nosuch:1".into());
        assert_eq!(
            image.to_string(),
            "image nosuch:1 not found: it is not on the engine"
        );
        let full = refused(500, "write /x: no space left on device".into());
        assert!(matches!(full, EngineError::DiskFull(_)));
        let dying = "can not get logs from container which is dead or marked for removal";
        for gone in [
            refused(404, "No such container: x".into()),
            refused(409, dying.into()),
        ] {
            assert!(matches!(gone, EngineError::NotFound(_)), "{gone:?}");
        }
    }
}
