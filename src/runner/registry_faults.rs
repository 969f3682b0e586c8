//! Why an image could not be pulled or pushed, in words a person can act on: the registry is asked again, by
//! ourselves, with the credential that was used.

use std::{sync::Arc, time::Duration};

use super::{dispatch::Env, examine, explain};
use crate::{
    engine::{Fault, Outcome},
    ports::{
        BuildError, Credential, EngineError, RegistryError, Repository, Right, name_of, written,
    },
    spec::reference::Reference,
};

/// How long finding out may take; a run should not wait long for a better word.
const PATIENCE: Duration = Duration::from_secs(15);

/// Says how an attempt ended that the engine refused, and why if a registry is behind it.
pub(super) async fn refused(
    env: &Arc<Env>,
    step: u32,
    (right, error): (Right, &EngineError),
) -> Outcome {
    match is_registrys(error) {
        Some(_) => explain::faulted(&env.job, step, fault(env, (right, error)).await),
        None => explain::refused(&env.job, step, error),
    }
}

/// Says how a build ended that made nothing, and why if a registry did not give a base.
pub(super) async fn not_built(env: &Arc<Env>, step: u32, error: &BuildError) -> Outcome {
    match error {
        BuildError::Engine(error) if is_registrys(error).is_some() => {
            refused(env, step, (Right::Pull, error)).await
        }
        other => explain::not_built(&env.job, step, other),
    }
}

/// The image that a registry did not give or take.
fn is_registrys(error: &EngineError) -> Option<&str> {
    match error {
        EngineError::ImageNotFound { reference, .. }
        | EngineError::Unauthorized { reference, .. }
        | EngineError::RegistryUnreachable { reference, .. } => Some(reference),
        _ => None,
    }
}

/// Sorts an error of the engine; one that a registry is behind with what the registry says to us.
pub(super) async fn fault(env: &Arc<Env>, (right, error): (Right, &EngineError)) -> Fault {
    let plain = explain::fault(error);
    let image = is_registrys(error).and_then(|it| Reference::parse(it).ok());
    let Some(image) = image.map(Reference::with_default_tag) else {
        return plain;
    };
    if is_not_even_here(error) {
        return plain;
    }
    let finding = find_out(env, &image, (right, error));
    match tokio::time::timeout(PATIENCE, finding).await {
        Ok(Some((message, hint))) => Fault {
            // The engine's own words stay: retryOnErrors looks for them, and they may say more.
            message: format!("{message}; {}", plain.message),
            hint,
            ..plain
        },
        Ok(None) | Err(_) => plain,
    }
}

/// Says whether an image to be pushed was never made, which no registry knows about.
fn is_not_even_here(error: &EngineError) -> bool {
    matches!(error, EngineError::ImageNotFound { reason, .. } if reason.contains("locally"))
}

async fn find_out(
    env: &Arc<Env>,
    image: &Reference,
    (right, error): (Right, &EngineError),
) -> Option<(String, String)> {
    let credential = env.job.keyring.find(image, right).await;
    let at = Repository::of(image, credential.as_ref().map(|it| &it.login));
    let kept = credential
        .as_ref()
        .filter(|it| it.pull_only && right != Right::Pull);
    if let Some(found) = kept {
        return Some(kept_from(found, &at));
    }
    let with = match &credential {
        Some(found) => format!("with {}", found.title()),
        None => "without a login".to_owned(),
    };
    let message = format!("failed to {right} {} {with}", written(&at, &name_of(image)));
    match ask(env, (&at, image), right).await {
        // The engine got further than we did, so it knows better.
        Err(RegistryError::Unreachable { .. }) if !is_unreachable(error) => None,
        Err(found) => Some((format!("{message}: {found}"), found.hint())),
        Ok(()) => Some((message, engines_own_way(&at, right))),
    }
}

fn is_unreachable(error: &EngineError) -> bool {
    matches!(error, EngineError::RegistryUnreachable { .. })
}

fn engines_own_way(at: &Repository, right: Right) -> String {
    let host = &at.host;
    format!(
        "careen itself may {right} there with this credential, so look at the Docker Engine's own way to {host}: \
         its proxy, its certificates (/etc/docker/certs.d/{host}) and its insecure-registries"
    )
}

fn kept_from(credential: &Credential, at: &Repository) -> (String, String) {
    let name = credential.connection.as_deref().unwrap_or_default();
    let message = format!(
        "{} is for pulls only and must not push to {}",
        credential.title(),
        at.name()
    );
    let hint = format!(
        "Add a connection that may push there, or allow this one to with `careen connection update {name} --pull-only false`"
    );
    (message, hint)
}

async fn ask(
    env: &Arc<Env>,
    (at, image): (&Repository, &Reference),
    right: Right,
) -> Result<(), RegistryError> {
    let registry = env.ports.registry.as_ref();
    registry.reach(&at.host).await?;
    match right {
        Right::Pull => registry.head(at, &name_of(image), None).await.map(drop),
        Right::Push | Right::Delete => examine::ask(registry, at, right).await,
    }
}
