//! From a request to a plan: aliases, secrets, templates, checks.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{AppError, Request, Secrets};
use crate::{
    plan::Plan,
    runner::denied,
    spec::{self, Inputs, SecretRef},
    text::{Diagnostic, Diagnostics, Level},
};

/// A request that can be run.
pub struct Prepared {
    /// What to run.
    pub plan: Arc<Plan>,
    /// What is odd in the file, but no error.
    pub warnings: Diagnostics,
}

/// The code of the finding that `--strict` raises to an error.
const UNKNOWN_KEY: &str = "unknown-key";

/// What stands in for a registry that is not set.
const STAND_IN_REGISTRY: &str = "registry.invalid";

/// Reads a request's file and says what is wrong with it; runs nothing, needs no engine.
pub fn check(request: &Request, secrets: &Secrets) -> Diagnostics {
    load(request, secrets).diagnostics
}

/// Plans a recorded request without its secrets, to show a run that is driven elsewhere.
pub fn outline(request: &Request) -> Result<Arc<Plan>, AppError> {
    let loaded = load(request, &Secrets::default());
    if loaded.diagnostics.has_errors() {
        return Err(wrong(request, loaded.diagnostics));
    }
    let plan = Plan::new(loaded.task.unwrap_or_default());
    plan.map(Arc::new).map_err(|error| {
        let finding = Diagnostic::error("plan", error.to_string());
        wrong(request, finding.into())
    })
}

/// Lists the secrets that the file declares.
pub(super) fn declared_secrets(
    request: &Request,
    secrets: &Secrets,
) -> Result<Vec<SecretRef>, AppError> {
    with_inputs(request, secrets, |inputs| {
        spec::secrets_needed(&request.text, inputs).map_err(|findings| wrong(request, findings))
    })
}

/// Lists the alias files that the file names.
pub(super) fn alias_sources(request: &Request, secrets: &Secrets) -> Result<Vec<String>, AppError> {
    with_inputs(request, secrets, |inputs| {
        spec::alias_sources(&request.text, inputs).map_err(|findings| wrong(request, findings))
    })
}

/// Makes the plan of a request, or says everything that keeps it from being run.
pub(super) fn prepare(request: &Request, secrets: &Secrets) -> Result<Prepared, AppError> {
    let missing = missing_secrets(request, secrets)?;
    let loaded = load(request, secrets);
    if loaded.diagnostics.has_errors() {
        return Err(wrong(request, loaded.diagnostics));
    }
    if !missing.is_empty() {
        return Err(AppError::MissingSecrets(missing));
    }
    let task = loaded.task.unwrap_or_default();
    let plan = Plan::new(task).map_err(|error| {
        let finding = Diagnostic::error("plan", error.to_string());
        wrong(request, finding.into())
    })?;
    let refused = denied(&plan, &request.grants().collect());
    if !refused.is_empty() {
        return Err(AppError::Denied(refused));
    }
    Ok(Prepared {
        plan: Arc::new(plan),
        warnings: loaded.diagnostics,
    })
}

/// Lists the secrets that the file declares and nobody gave, each once.
fn missing_secrets(request: &Request, secrets: &Secrets) -> Result<Vec<String>, AppError> {
    let mut missing = Vec::new();
    for secret in declared_secrets(request, secrets)? {
        if !secrets.declared.contains_key(&secret.id) && !missing.contains(&secret.id) {
            missing.push(secret.id);
        }
    }
    Ok(missing)
}

/// Reads the file. What was not given and will be asked for is stood in for, so that all else can be checked.
fn load(request: &Request, secrets: &Secrets) -> spec::Loaded {
    let mut secrets = secrets.clone();
    for id in missing_secrets(request, &secrets).unwrap_or_default() {
        secrets.declared.insert(id, SecretString::default());
    }
    let read = |request: &Request| {
        with_inputs(request, &secrets, |inputs| {
            spec::load(&request.text, inputs)
        })
    };
    let mut loaded = read(request);
    if request.registry().is_none() && !loaded.uses_registry.is_empty() {
        let mut request = request.clone();
        STAND_IN_REGISTRY.clone_into(&mut request.vars.registry);
        loaded = read(&request);
    }
    if request.strict {
        let unknown = |finding: &&mut Diagnostic| finding.code == UNKNOWN_KEY;
        for finding in loaded.diagnostics.iter_mut().filter(unknown) {
            finding.level = Level::Error;
        }
    }
    if request.registry().is_none()
        && let Some(span) = loaded.uses_registry.first()
    {
        loaded.diagnostics.push(
            Diagnostic::error("no-registry", "the task uses its registry, and none is set")
                .at(*span)
                .help("set it with --registry, the variable CAREEN_REGISTRY, or `registry` in the settings file"),
        );
    }
    loaded
}

fn with_inputs<T>(request: &Request, secrets: &Secrets, then: impl FnOnce(&Inputs<'_>) -> T) -> T {
    let mut values = request.values.clone();
    for (name, value) in &secrets.values {
        values.insert(name.clone(), Value::from(value.expose_secret()));
    }
    let masked: Vec<String> = secrets
        .values
        .values()
        .map(|value| value.expose_secret().to_owned())
        .collect();
    let declared: BTreeMap<String, String> = secrets.for_templates();
    then(&Inputs {
        run: &request.vars,
        values: &Value::Object(values),
        secrets: &declared,
        masked: &masked,
        draws: &request.draws,
        alias_files: &request.alias_files,
    })
}

fn wrong(request: &Request, findings: Diagnostics) -> AppError {
    AppError::TaskFile {
        file: request.file.clone(),
        text: request.text.clone(),
        findings,
    }
}
