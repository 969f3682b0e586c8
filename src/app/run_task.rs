//! Makes a request to run from a stored task.

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    App, AppError, Limits, Occasion, Request, Secrets, draw,
    run_wish::{default_parallel, read_file},
    task_desk::secret_row,
};
use crate::{
    ports::TaskRow,
    spec::{
        command_line,
        context::{self, ContextRef},
    },
    tasks::{Definition, Status, Text},
};

/// Processes and threads of one container of a stored task.
const PIDS: i64 = 4096;
/// Billionths in a whole.
const NANO: f64 = 1e9;

/// What one run of a task does differently.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Where the files are.
    pub context: Option<String>,
    /// The task file.
    pub file: Option<String>,
    /// Values, added to the task's.
    pub values: Map<String, Value>,
    /// Secret values, added to the task's.
    pub secrets: BTreeMap<String, SecretString>,
    /// Build arguments, added to the task's.
    pub arguments: BTreeMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
}

impl App {
    /// Makes the request of a run that a person starts through a server. A context that lies elsewhere is left to the
    /// worker, with the task file in it; all else is read now, so that what is wrong with it is said at once.
    pub async fn asked_request(
        &self,
        row: &TaskRow,
        overrides: Overrides,
    ) -> Result<(Request, Secrets), AppError> {
        let own = row.definition.context.as_deref();
        if !overrides
            .context
            .as_deref()
            .or(own)
            .is_some_and(is_elsewhere)
        {
            return self.task_request(row, overrides).await;
        }
        refuse_disabled(&row.definition)?;
        let mut row = row.clone();
        let given = overrides.secrets.clone();
        override_with(&mut row.definition, overrides);
        row.definition
            .values
            .retain(|name, _| !given.contains_key(name));
        let (request, mut secrets) = self.occasional_request(&row, Occasion::default()).await?;
        secrets.values.extend(given);
        Ok((request, secrets))
    }

    /// Makes the request of a task's run, with its secrets opened.
    pub async fn task_request(
        &self,
        row: &TaskRow,
        overrides: Overrides,
    ) -> Result<(Request, Secrets), AppError> {
        let mut task = row.definition.clone();
        refuse_disabled(&task)?;
        let mut secrets = self.task_secrets(&task).await?;
        for (name, value) in &overrides.secrets {
            task.values.remove(name);
            secrets.values.insert(name.clone(), value.clone());
        }
        override_with(&mut task, overrides);
        let context = task.context.as_deref().map(folder).transpose()?;
        let (file, text) = match task.text() {
            Text::Inline(text) => (format!("{}.yaml", task.name), text),
            Text::File(file) => {
                let text = read_file(context.as_deref(), &file)?;
                (file, text)
            }
        };
        let request = self.stored_request(&task, (file, text), context).await?;
        Ok((request, secrets))
    }

    async fn stored_request(
        &self,
        task: &Definition,
        (file, text): (String, String),
        context: Option<PathBuf>,
    ) -> Result<Request, AppError> {
        let git = context.as_deref().and_then(|it| self.ports.folders.git(it));
        let mut vars = self.fresh_vars(&text, git).await?;
        vars.task_name.clone_from(&task.name);
        vars.registry = task.registry.clone().unwrap_or_default();
        let mut platform = task.platform.as_deref().unwrap_or_default().split('/');
        if let Some(os) = platform.next().filter(|it| !it.is_empty()) {
            os.clone_into(&mut vars.os);
        }
        if let Some(architecture) = platform.next() {
            architecture.clone_into(&mut vars.architecture);
        }
        Ok(Request {
            pin: None,
            pins: BTreeMap::new(),
            bases: BTreeMap::new(),
            deferred: None,
            is_restricted: false,
            opened: None,
            file,
            text,
            context,
            values: task.values.clone(),
            alias_files: BTreeMap::new(),
            vars,
            draws: draw(self.ports.clock.now()),
            timeout_seconds: task.timeout_seconds,
            parallel: default_parallel(),
            wait_healthy: false,
            strict: false,
            allow: task.allow.clone(),
            limits: limits(task),
            outputs: Vec::new(),
            bounds: Vec::new(),
            retry_of: None,
        })
    }

    /// Opens the task's secret values; templates see each as a value and as a secret.
    pub(super) async fn task_secrets(&self, task: &Definition) -> Result<Secrets, AppError> {
        let mut secrets = Secrets::default();
        for (name, sealed) in self.tasks.task_secrets(&task.name).await? {
            let value = self.vault.open(&secret_row(&task.name, &name), &sealed)?;
            secrets.values.insert(name.clone(), value.clone());
            secrets.declared.insert(name, value);
        }
        Ok(secrets)
    }
}

pub(super) fn override_with(task: &mut Definition, overrides: Overrides) {
    task.context = overrides.context.or(task.context.take());
    task.values.extend(overrides.values);
    if let Some(file) = overrides.file {
        (task.file, task.yaml) = (Some(file), None);
    }
    if let Some(build) = &mut task.build {
        build.arguments.extend(overrides.arguments);
        build.target = overrides.target.or(build.target.take());
        if let Some(file) = task.file.take() {
            build.dockerfile = file;
        }
    }
}

pub(super) fn limits(task: &Definition) -> Limits {
    let memory = task.memory.as_deref().map(command_line::parse_memory);
    Limits {
        pids: Some(PIDS),
        memory_bytes: memory.and_then(Result::ok),
        // Checked when it was stored: a number above 0.
        nano_cpus: task.cpu.map(|it| (it * NANO) as u64),
    }
}

fn refuse_disabled(task: &Definition) -> Result<(), AppError> {
    match task.status {
        Status::Enabled => Ok(()),
        Status::Disabled => Err(AppError::usage(
            format!("task {} is disabled", task.name),
            format!("careen task enable {} enables it", task.name),
        )),
    }
}

/// Says whether a context is not on this machine.
fn is_elsewhere(context: &str) -> bool {
    let written = context::read(context).map(|it| it.context);
    matches!(
        written,
        Ok(ContextRef::Git(_) | ContextRef::Archive(_) | ContextRef::Artifact(_))
    )
}

/// Finds the folder that a task's context names.
fn folder(context: &str) -> Result<PathBuf, AppError> {
    let path = std::fs::canonicalize(context).map_err(|error| {
        AppError::usage(
            format!("the context {context} cannot be used: {error}"),
            "Name a folder of the machine that runs the task",
        )
    })?;
    Ok(path)
}
