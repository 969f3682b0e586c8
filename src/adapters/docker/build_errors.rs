//! Whose fault a failed build is.

use crate::ports::{BuildError, EngineError};

use super::{errors::refused, registry_errors::registry_error};

/// What is known of a failed build beside its error.
#[derive(Debug, Default)]
pub(super) struct Clues<'a> {
    /// The vertex that failed, and its error.
    pub(super) vertex: Option<(&'a str, &'a str)>,
    /// The base that was looked for last.
    pub(super) base: Option<&'a str>,
    /// Whether the engine had begun with the build.
    pub(super) had_begun: bool,
}

/// Tells a Dockerfile, context or command that said no from an engine or registry that could not.
pub(super) fn build_error(error: EngineError, clues: &Clues<'_>) -> BuildError {
    let (EngineError::Other(message) | EngineError::NotFound(message)) = error else {
        return BuildError::Engine(error);
    };
    if let Some((name, reason)) = clues.vertex {
        if is_engines(reason) {
            return BuildError::Engine(refused(500, reason.to_string()));
        }
        return match base_of(name) {
            Some(base) => {
                BuildError::Engine(registry_error(EngineError::Other(reason.to_string()), base))
            }
            None => failed(reason),
        };
    }
    if exit_code(&message).is_some() || is_users(&message) {
        return failed(&message);
    }
    let error = registry_error(
        EngineError::Other(message),
        clues.base.unwrap_or("the base image"),
    );
    match error {
        EngineError::Other(message) if clues.had_begun => failed(&message),
        error => BuildError::Engine(error),
    }
}

fn failed(message: &str) -> BuildError {
    BuildError::Failed {
        message: message.to_string(),
        exit_code: exit_code(message),
    }
}

/// The base in the name of a vertex that looks for one or fetches it.
fn base_of(vertex: &str) -> Option<&str> {
    let metadata = vertex.split_once("load metadata for ");
    let fetched = || {
        vertex
            .split_once("FROM ")
            .filter(|(before, _)| before.ends_with("] "))
    };
    let (_, base) = metadata.or_else(fetched)?;
    base.split(' ').next()
}

/// Words of an engine that could not even begin with a command.
fn is_engines(reason: &str) -> bool {
    let words = [
        "no space left on device",
        "failed to create endpoint",
        "could not find bridge",
    ];
    words.iter().any(|word| reason.contains(word))
}

/// Words of refusals that speak of what the user wrote.
fn is_users(message: &str) -> bool {
    let lower = message.to_lowercase();
    let words = [
        "dockerfile",
        "copy failed",
        "add failed",
        "build stage",
        "target stage",
        "cache key",
    ];
    words.iter().any(|word| lower.contains(word))
}

/// The number after `exit code: ` or `non-zero code: `.
fn exit_code(message: &str) -> Option<i64> {
    let mut ends = ["exit code: ", "non-zero code: "].into_iter();
    let (_, rest) = ends.find_map(|words| message.rsplit_once(words))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str, vertex: Option<(&str, &str)>) -> String {
        let clues = Clues {
            vertex,
            base: Some("h/base:1"),
            had_begun: true,
        };
        let error = build_error(EngineError::Other(message.to_string()), &clues);
        let text = format!("{error:?}");
        let kind = text.split(['{', '(']).take(2).collect::<Vec<_>>().join("(");
        match error {
            BuildError::Failed { exit_code, .. } => format!("Failed {exit_code:?}"),
            BuildError::Engine(_) => kind.split(' ').next().unwrap_or_default().to_string(),
        }
    }

    #[test]
    fn the_users_fault_is_told_from_the_engines() {
        let run = "[2/2] RUN exit 9";
        let metadata = "[internal] load metadata for docker.io/library/x:1";
        for (message, vertex, expected) in [
            (
                "solve",
                Some((run, "executor failed running [sh]: exit code: 9")),
                "Failed Some(9)",
            ),
            (
                "solve",
                Some((
                    run,
                    "process \"sh\" did not complete successfully: exit code: 137",
                )),
                "Failed Some(137)",
            ),
            (
                "solve",
                Some((
                    "[2/2] COPY a b",
                    "failed to compute cache key: \"/a\" not found",
                )),
                "Failed None",
            ),
            (
                "solve",
                Some((
                    metadata,
                    "pull access denied, repository does not exist or may require authorization",
                )),
                "Engine(ImageNotFound",
            ),
            (
                "solve",
                Some((
                    metadata,
                    "failed to do request: dial tcp: lookup h: no such host",
                )),
                "Engine(RegistryUnreachable",
            ),
            (
                "solve",
                Some((
                    "[1/2] FROM h/a:1@sha256:00",
                    "unauthorized: authentication required",
                )),
                "Engine(Unauthorized",
            ),
            (
                "failed to solve: dockerfile parse error line 2: unknown instruction: RUNN",
                None,
                "Failed None",
            ),
            (
                "The command '/bin/sh -c exit 9' returned a non-zero code: 9",
                None,
                "Failed Some(9)",
            ),
            (
                "COPY failed: file not found in build context: stat nofile: file does not exist",
                None,
                "Failed None",
            ),
            (
                "manifest for h/base:1 not found: manifest unknown",
                None,
                "Engine(ImageNotFound",
            ),
            (
                "Get \"https://h/v2/\": no basic auth credentials",
                None,
                "Engine(Unauthorized",
            ),
        ] {
            assert_eq!(read(message, vertex), expected, "{message} {vertex:?}");
        }
    }

    #[test]
    fn an_engine_that_refuses_to_begin_is_not_the_users_fault() {
        let error =
            EngineError::Other("squash is only supported with experimental mode".to_string());
        let read = build_error(error.clone(), &Clues::default());
        assert_eq!(read, BuildError::Engine(error));
    }
}
