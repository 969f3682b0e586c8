//! From a request to a plan: aliases, secrets, templates, checks.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::ExposeSecret;
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

/// Reads a request's file and says what is wrong with it; runs nothing, needs no engine.
pub fn check(request: &Request, secrets: &Secrets) -> Diagnostics {
    load(request, secrets).diagnostics
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
    let missing: Vec<String> = declared_secrets(request, secrets)?
        .into_iter()
        .map(|secret| secret.id)
        .filter(|id| !secrets.declared.contains_key(id))
        .collect();
    if !missing.is_empty() {
        return Err(AppError::MissingSecrets(missing));
    }
    let loaded = load(request, secrets);
    if loaded.diagnostics.has_errors() {
        return Err(wrong(request, loaded.diagnostics));
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

fn load(request: &Request, secrets: &Secrets) -> spec::Loaded {
    let mut loaded = with_inputs(request, secrets, |inputs| spec::load(&request.text, inputs));
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
