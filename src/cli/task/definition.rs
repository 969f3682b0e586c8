//! The options that say what a task is made of, shared by `create` and `update`.

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::SecretString;
use serde_json::Value;

use super::super::{
    CliError,
    request::{seconds, secret_value},
};
use super::{
    base_image_options::BaseImageArgs, source_options::SourceArgs, timer_options::TimerArgs,
};
use crate::{
    spec::values,
    tasks::{Concurrency, Definition, ImageBuild, Policy, Status, WorkerLoss, command_task},
};

/// What a task is made of.
#[derive(Debug, Clone, clap::Args)]
pub struct DefinitionArgs {
    /// Where the files are: a folder or a git URL; /dev/null for none
    #[arg(short, long, value_name = "CONTEXT")]
    context: Option<String>,
    /// The task file or, with --image or another suffix than .yaml, the Dockerfile in the context
    #[arg(short, long, value_name = "FILE")]
    file: Option<String>,
    /// Run this one command instead of a task file
    #[arg(long, value_name = "COMMAND", conflicts_with = "file")]
    cmd: Option<String>,
    /// A name for the image that the task builds
    #[arg(short = 't', long = "image", value_name = "NAME")]
    images: Vec<String>,
    /// Set a build argument
    #[arg(long, value_name = "NAME=VALUE")]
    arg: Vec<String>,
    /// Stop the build at this stage
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Push nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    no_push: Option<bool>,
    /// Take nothing from the cache
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    no_cache: Option<bool>,
    /// The platform to run on
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// How long a run may take: seconds, or 30m, 1h30m
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// CPUs of each step's container
    #[arg(long, value_name = "N")]
    cpu: Option<f64>,
    /// Memory of each step's container, such as 512m
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// The registry that the task calls its own
    #[arg(short, long, value_name = "HOST")]
    registry: Option<String>,
    /// A file of values, YAML; --set wins over it
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Set a value that templates see as .Values.NAME
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Set a secret value; NAME alone takes it from the variable of that name, NAME=@FILE from a file
    #[arg(long, value_name = "NAME[=VALUE]")]
    set_secret: Vec<String>,
    /// A registry connection that runs may use
    #[arg(long, value_name = "NAME")]
    connection: Vec<String>,
    /// What runs are allowed, as with careen run
    #[arg(long, value_name = "WHAT")]
    allow: Vec<String>,
    /// Whether the task may be run
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<Status>,
    /// The pool of workers that runs it
    #[arg(long, value_name = "POOL", alias = "agent-pool")]
    pool: Option<String>,
    /// A label that a worker must bear
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<String>,
    /// Runs of a higher priority leave the queue first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// How many runs of the task may be under way at once
    #[arg(long, value_name = "N")]
    max_runs: Option<u32>,
    /// The group of which one run is under way at a time
    #[arg(long, value_name = "NAME")]
    concurrency_group: Option<String>,
    /// What becomes of a run whose group is busy: queue, cancel-superseded or skip
    #[arg(long, value_name = "POLICY", requires = "concurrency_group", value_parser = policy)]
    concurrency_policy: Option<Policy>,
    /// What becomes of a run whose worker is lost together with its engine: error or retry
    #[arg(long, value_name = "WHAT", value_parser = worker_loss)]
    on_worker_loss: Option<WorkerLoss>,
    #[command(flatten)]
    timers: TimerArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    bases: BaseImageArgs,
}

impl DefinitionArgs {
    /// Writes what was said into a definition, and returns the secret values.
    pub fn apply(&self, task: &mut Definition) -> Result<BTreeMap<String, SecretString>, CliError> {
        if let Some(context) = &self.context {
            task.context = (!context.eq_ignore_ascii_case("/dev/null")).then(|| absolute(context));
        }
        self.apply_steps(task)?;
        self.apply_terms(task)?;
        self.timers.apply(task);
        self.source.apply(task);
        self.bases.apply(task);
        self.apply_values(task)
    }

    fn apply_steps(&self, task: &mut Definition) -> Result<(), CliError> {
        if let Some(command) = &self.cmd {
            task.yaml = Some(command_task(command, None));
            (task.file, task.build) = (None, None);
        }
        let is_dockerfile = |file: &String| !file.ends_with(".yaml") && !file.ends_with(".yml");
        let builds = !self.images.is_empty()
            || self.file.as_ref().is_some_and(is_dockerfile)
            || (task.build.is_some() && self.file.is_none() && self.cmd.is_none());
        if builds {
            return self.apply_build(task);
        }
        match &self.file {
            None => {}
            // Without a context the text is read now; later edits of the file are not seen, as in ACR.
            Some(file) if task.context.is_none() => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    CliError::usage(format!("cannot read the task file {file}: {error}"), "")
                })?;
                (task.yaml, task.file, task.build) = (Some(text), None, None);
            }
            Some(file) => {
                (task.file, task.yaml, task.build) = (Some(file.clone()), None, None);
            }
        }
        Ok(())
    }

    fn apply_build(&self, task: &mut Definition) -> Result<(), CliError> {
        let mut build = task.build.take().unwrap_or_else(|| ImageBuild {
            images: Vec::new(),
            dockerfile: "Dockerfile".to_owned(),
            arguments: BTreeMap::new(),
            target: None,
            push: true,
            no_cache: false,
        });
        if !self.images.is_empty() {
            build.images.clone_from(&self.images);
        }
        for word in &self.arg {
            let (name, value) = pair(word, "--arg")?;
            build.arguments.insert(name, value);
        }
        build.dockerfile = self.file.clone().unwrap_or(build.dockerfile);
        build.target = self.target.clone().or(build.target);
        build.push = self.no_push.map_or(build.push, |no| !no);
        build.no_cache = self.no_cache.unwrap_or(build.no_cache);
        (task.file, task.yaml) = (None, None);
        task.build = Some(build);
        Ok(())
    }

    fn apply_terms(&self, task: &mut Definition) -> Result<(), CliError> {
        if let Some(text) = &self.timeout {
            task.timeout_seconds = seconds(text)?;
        }
        for (field, given) in [
            (&mut task.platform, &self.platform),
            (&mut task.memory, &self.memory),
            (&mut task.registry, &self.registry),
            (&mut task.pool, &self.pool),
        ] {
            if given.is_some() {
                field.clone_from(given);
            }
        }
        for (field, given) in [
            (&mut task.connections, &self.connection),
            (&mut task.allow, &self.allow),
        ] {
            if !given.is_empty() {
                field.clone_from(given);
            }
        }
        for word in &self.label {
            let (name, value) = pair(word, "--label")?;
            task.labels.insert(name, value);
        }
        task.cpu = self.cpu.or(task.cpu);
        task.status = self.status.unwrap_or(task.status);
        task.priority = self.priority.unwrap_or(task.priority);
        task.max_runs = self.max_runs.or(task.max_runs);
        task.on_worker_loss = self.on_worker_loss.unwrap_or(task.on_worker_loss);
        if let Some(group) = &self.concurrency_group {
            task.concurrency = Some(Concurrency {
                group: group.clone(),
                policy: self.concurrency_policy.unwrap_or_default(),
            });
        }
        Ok(())
    }

    fn apply_values(
        &self,
        task: &mut Definition,
    ) -> Result<BTreeMap<String, SecretString>, CliError> {
        let mut texts = Vec::new();
        for path in &self.values {
            texts.push(std::fs::read_to_string(path).map_err(|error| {
                CliError::usage(format!("values file {}: {error}", path.display()), "")
            })?);
        }
        let files: Vec<&str> = texts.iter().map(String::as_str).collect();
        let read = values::read(&files, &self.set, &[])
            .map_err(|error| CliError::usage(error.to_string(), ""))?;
        if let Value::Object(map) = read.map {
            task.values.extend(map);
        }
        let mut secrets = BTreeMap::new();
        for word in &self.set_secret {
            let (name, value) = secret_value(word)?;
            task.values.remove(&name);
            if !task.secret_values.contains(&name) {
                task.secret_values.push(name.clone());
            }
            secrets.insert(name, value);
        }
        Ok(secrets)
    }
}

/// Stored tasks are run from elsewhere: a folder is written down whole.
pub(super) fn absolute(context: &str) -> String {
    if context.contains("://") || !std::path::Path::new(context).exists() {
        return context.to_owned();
    }
    std::fs::canonicalize(context).map_or_else(
        |_| context.to_owned(),
        |path| path.to_string_lossy().into_owned(),
    )
}

/// Splits `NAME=VALUE`.
pub(super) fn pair(word: &str, option: &str) -> Result<(String, String), CliError> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(CliError::usage(
            format!("{option} {word} is not NAME=VALUE"),
            format!("For example {option} colour=blue"),
        )),
    }
}

fn status(word: &str) -> Result<Status, String> {
    match word.to_ascii_lowercase().as_str() {
        "enabled" => Ok(Status::Enabled),
        "disabled" => Ok(Status::Disabled),
        _ => Err("it is enabled or disabled".to_owned()),
    }
}

fn policy(word: &str) -> Result<Policy, String> {
    match word {
        "queue" => Ok(Policy::Queue),
        "cancel-superseded" => Ok(Policy::CancelSuperseded),
        "skip" => Ok(Policy::Skip),
        _ => Err("it is queue, cancel-superseded or skip".to_owned()),
    }
}

fn worker_loss(word: &str) -> Result<WorkerLoss, String> {
    match word {
        "error" => Ok(WorkerLoss::Error),
        "retry" => Ok(WorkerLoss::Retry),
        _ => Err("it is error or retry".to_owned()),
    }
}
