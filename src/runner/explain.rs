//! Turns what the engine said into an outcome with a hint that names the next thing to try.

use super::Job;
use crate::{
    engine::{Fault, FaultKind, Outcome},
    ports::{BuildError, EngineError},
};

/// The exit code of a command that is not in the image, as shells have it.
const COMMAND_NOT_FOUND: i64 = 127;
/// The exit code of a command that cannot be executed.
const COMMAND_NOT_EXECUTABLE: i64 = 126;

/// Says how an attempt ended that the engine refused.
pub(super) fn refused(job: &Job, step: u32, error: &EngineError) -> Outcome {
    let exit = |code: i64| Outcome::Exited {
        code,
        cause: Some(error.to_string()),
        matched: matches(job, step, &error.to_string()),
    };
    match error {
        EngineError::CommandNotFound(_) => exit(COMMAND_NOT_FOUND),
        EngineError::CommandNotExecutable(_) => exit(COMMAND_NOT_EXECUTABLE),
        other => faulted(job, step, fault(other)),
    }
}

/// Says how a build ended that made nothing.
pub(super) fn not_built(job: &Job, step: u32, error: &BuildError) -> Outcome {
    match error {
        BuildError::Failed { message, exit_code } => Outcome::Exited {
            code: exit_code.unwrap_or(1),
            cause: Some(message.clone()),
            matched: matches(job, step, message),
        },
        BuildError::Engine(error) => faulted(job, step, fault(error)),
    }
}

/// Makes an outcome of a fault.
pub(super) fn faulted(job: &Job, step: u32, fault: Fault) -> Outcome {
    Outcome::Faulted {
        matched: matches(job, step, &fault.message),
        fault,
    }
}

/// Says whether a text allows a retry: any does when the step names no `retryOnErrors`.
pub(super) fn matches(job: &Job, step: u32, text: &str) -> bool {
    let wanted = &job.plan.step(step).retry_on_errors;
    wanted.is_empty() || wanted.iter().any(|word| text.contains(word.as_str()))
}

/// Says what to try about an error of the engine; may be empty.
pub fn hint(error: &EngineError) -> String {
    fault(error).hint
}

/// Sorts an error of the engine and says what to try.
pub(super) fn fault(error: &EngineError) -> Fault {
    let (kind, hint) = match error {
        EngineError::Unreachable { .. } => (
            FaultKind::Engine,
            "Start the Docker Engine, or set DOCKER_HOST to one that runs".to_owned(),
        ),
        EngineError::PermissionDenied { address } if address.starts_with("ssh:") => (
            FaultKind::Engine,
            "Name a user of that machine's docker group in DOCKER_HOST, or root".to_owned(),
        ),
        EngineError::PermissionDenied { .. } => (
            FaultKind::Engine,
            "Run as a user of the docker group, or as root".to_owned(),
        ),
        EngineError::Barred { advice, .. } => (FaultKind::Engine, advice.clone()),
        EngineError::Broken(_) => (
            FaultKind::Lost,
            "The Docker Engine stopped or was restarted; run it again".to_owned(),
        ),
        EngineError::ImageNotFound { reference, .. } => (
            FaultKind::Image,
            format!(
                "Check the name and tag of {reference}; is it built by an earlier step or pushed to its registry?"
            ),
        ),
        EngineError::Unauthorized { reference, .. } => (
            FaultKind::Registry,
            format!("Log in to the registry of {reference} with an account that may use it"),
        ),
        EngineError::RegistryUnreachable { .. } => (
            FaultKind::Registry,
            "Check the registry's address and that this machine can reach it".to_owned(),
        ),
        EngineError::NameConflict(_) => (
            FaultKind::Engine,
            "Run careen sweep to remove what ended runs left behind".to_owned(),
        ),
        EngineError::PortTaken { .. } => (
            FaultKind::Engine,
            "Choose another host port, or stop what holds this one".to_owned(),
        ),
        EngineError::DiskFull(_) => (
            FaultKind::Engine,
            "Free some space where the Docker Engine keeps its data".to_owned(),
        ),
        EngineError::NotFound(_)
        | EngineError::InUse(_)
        | EngineError::CommandNotFound(_)
        | EngineError::CommandNotExecutable(_)
        | EngineError::Other(_) => (FaultKind::Engine, String::new()),
    };
    Fault {
        kind,
        message: error.to_string(),
        hint,
    }
}
