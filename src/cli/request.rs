//! The options that say what to run, shared by `run`, `check` and `plan`.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde_json::Value;

use super::{
    CliError, Context,
    contexts::{self, Source},
    password::from_variable,
};
use crate::{
    app::{App, AppError, Limits, OutputWish, Request, Secrets, draw},
    ports::GitInfo,
    spec::{Grant, RunVars, command_line, values},
    tasks::command_task,
};

/// The task file's name when none is given, as in ACR.
const DEFAULT_FILE: &str = "acb.yaml";
/// Processes and threads of one container, unless something else is asked for.
const DEFAULT_PIDS: i64 = 4096;

/// What to run, and with which values.
#[derive(Debug, Clone, clap::Args)]
pub struct RequestArgs {
    /// The context: a folder, a git repository (URL#REF:DIR), the address of an archive, oci://IMAGE, - for an archive on
    /// standard input, or /dev/null for none [default: .]
    #[arg(value_name = "CONTEXT")]
    pub context: Option<String>,
    /// The task file, looked for in the context and then here; - is standard input [default: acb.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<String>,
    /// Run this one command instead of a task file
    #[arg(long, value_name = "COMMAND", conflicts_with = "file")]
    pub cmd: Option<String>,
    /// Set a value that templates see as .Values.NAME
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Set a secret value; NAME alone takes it from the variable of that name, NAME=@FILE from a file
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub set_secret: Vec<String>,
    /// Where a secret of the task's `secrets` comes from
    #[arg(long, value_name = "ID=env:NAME|file:PATH|store:NAME")]
    pub secret_from: Vec<String>,
    /// A file of values, YAML; --set wins over it
    #[arg(long, value_name = "FILE")]
    pub values: Vec<PathBuf>,
    /// Treat unknown keys of the task file as errors
    #[arg(long)]
    pub strict: bool,
    /// Read alias files from other machines, by https
    #[arg(long)]
    pub allow_remote_alias: bool,
    #[command(flatten)]
    pub run: RunOptions,
}

/// How to run it.
#[derive(Debug, Clone, clap::Args)]
pub struct RunOptions {
    /// The registry that the task calls its own
    #[arg(short, long, value_name = "HOST")]
    pub registry: Option<String>,
    /// Accepted for tasks written for Azure, without effect: there is no managed identity here
    #[arg(long, value_name = "ID", hide = true)]
    pub identity: Option<String>,
    /// Allow what opens the host: privileged, docker-socket, host-network, external-network=NAME, host-path=DIR; or
    /// contexts from private-address or local-repository
    #[arg(long, value_name = "WHAT")]
    pub allow: Vec<String>,
    /// Where the token for git comes from; HOST= if it is for repositories of builds only [default: CAREEN_GIT_TOKEN]
    #[arg(long, value_name = "[HOST=]env:NAME|file:PATH")]
    pub git_token_from: Option<String>,
    /// How long the whole run may take: seconds, or 30m, 1h30m [default: 1h]
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// How many steps may be under way at once [default: four for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel: Option<u32>,
    /// Hold the dependents of a detached step until its health check passes
    #[arg(long)]
    pub wait_healthy: bool,
    /// Copy a path of the workspace to a folder when the run ends
    #[arg(long, value_name = "SRC=DIR")]
    pub output: Vec<String>,
    /// Memory of each step's container, such as 512m or 2g
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// CPUs of each step's container, such as 1.5
    #[arg(long, value_name = "N")]
    pub cpus: Option<String>,
    /// Processes and threads of each step's container; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PIDS)]
    pub pids_limit: i64,
}

/// What a request is made from, beside its options.
pub struct Given {
    /// What the task file is called.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The context.
    pub source: Source,
    /// The values that are not secret.
    pub values: serde_json::Map<String, Value>,
    /// Whether unknown keys are errors.
    pub strict: bool,
}

/// What the options amount to.
pub struct Wanted {
    /// The request, under an id drawn for it.
    pub request: Request,
    /// Its secrets.
    pub secrets: Secrets,
}

impl RequestArgs {
    /// Takes a file named in place of the context as the task file: `careen check acb.yaml`.
    pub fn for_file_argument(mut self) -> Self {
        let names_a_file = self
            .context
            .as_deref()
            .is_some_and(|word| Path::new(word).is_file());
        if names_a_file && self.file.is_none() && self.cmd.is_none() {
            self.file = self.context.take();
        }
        self
    }

    /// Reads files and options into a request.
    pub async fn read(&self, context: &Context, app: &App) -> Result<Wanted, CliError> {
        let word = match (&self.context, &self.cmd) {
            (Some(word), _) => word,
            (None, Some(_)) => "/dev/null",
            (None, None) => ".",
        };
        if word == "-" && self.file.as_deref() == Some("-") {
            return Err(CliError::usage(
                "context and task file cannot both come on standard input",
                "Name a file for one of them",
            ));
        }
        let source = contexts::open(context, app, (word, &self.run)).await?;
        let (file, text) = self.task_file(&source)?;
        let (values, mut secrets) = self.values(&source)?;
        secrets.context = source.secrets.clone();
        for word in &self.secret_from {
            let (id, value) = secret_from(app, word).await?;
            secrets.declared.insert(id, value);
        }
        let given = Given {
            file,
            text,
            source,
            values,
            strict: self.strict,
        };
        let mut request = self.run.request(context, app, given).await?;
        app.read_alias_files(&mut request, &secrets, self.allow_remote_alias)
            .await?;
        app.find_secrets(&request, &mut secrets, &context.settings.vault_secrets)
            .await?;
        Ok(Wanted { request, secrets })
    }

    fn task_file(&self, source: &Source) -> Result<(String, String), CliError> {
        if let Some(command) = &self.cmd {
            let timeout = self.run.timeout.as_deref();
            let timeout = timeout.and_then(|text| seconds(text).ok());
            return Ok((command.clone(), command_task(command, timeout)));
        }
        let name = self.file.as_deref().unwrap_or(DEFAULT_FILE);
        if name == "-" {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| CliError::usage(format!("standard input: {error}"), ""))?;
            return Ok(("standard input".to_owned(), text));
        }
        let inner = source.find(Path::new(name))?;
        let path = inner.clone().unwrap_or_else(|| PathBuf::from(name));
        let bytes = std::fs::read(&path).map_err(|error| {
            CliError::usage(
                format!("cannot read the task file {name}: {error}"),
                "Name it with -f; it is looked for in the context and then in the present folder",
            )
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| CliError::usage(format!("the task file {name} is not UTF-8 text"), ""))?;
        let is_elsewhere = inner.is_some() && source.opened.is_some();
        let shown = if is_elsewhere { Path::new(name) } else { &path };
        Ok((shown.display().to_string(), text))
    }

    fn values(
        &self,
        source: &Source,
    ) -> Result<(serde_json::Map<String, Value>, Secrets), CliError> {
        let mut texts = Vec::new();
        for path in &self.values {
            let inner = source.find(path)?;
            let path = inner.as_deref().unwrap_or(path);
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::usage(format!("values file {}: {error}", path.display()), "")
            })?;
            texts.push((path.display().to_string(), text));
        }
        let files: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        let read = values::read(&files, &self.set, &[]).map_err(|error| match error {
            values::ValuesError::File { index, findings } => CliError::App(AppError::TaskFile {
                file: texts[index].0.clone(),
                text: texts[index].1.clone(),
                findings,
            }),
            other => CliError::usage(other.to_string(), ""),
        })?;
        let Value::Object(mut map) = read.map else {
            return Err(CliError::usage("the values are no map", ""));
        };
        let mut secrets = Secrets::default();
        for word in &self.set_secret {
            let (name, value) = secret_value(word)?;
            map.remove(&name);
            secrets.values.insert(name, value);
        }
        Ok((map, secrets))
    }
}

impl RunOptions {
    /// Makes a request of what was given and of these options.
    pub async fn request(
        &self,
        context: &Context,
        app: &App,
        given: Given,
    ) -> Result<Request, CliError> {
        if self.identity.is_some() && !context.globals.quiet {
            anstream::eprintln!(
                "warning: --identity has no effect here: credentials come from careen connection, secrets from careen secret"
            );
        }
        let opened = given.source.opened.as_ref();
        let git = match opened {
            Some(opened) => opened.git.clone(),
            None => (given.source.folder.as_deref()).and_then(|it| app.ports.folders.git(it)),
        };
        let mut request = Request {
            file: given.file,
            text: given.text,
            pin: opened.map(|it| it.pin.clone()),
            pins: BTreeMap::new(),
            bases: BTreeMap::new(),
            deferred: None,
            is_restricted: false,
            opened: opened.map(|it| it.folder.clone()),
            context: given.source.folder.clone(),
            values: given.values,
            alias_files: BTreeMap::new(),
            vars: RunVars::default(),
            draws: draw(app.ports.clock.now()),
            timeout_seconds: self.timeout_seconds(context)?,
            parallel: self.parallel.unwrap_or(context.settings.parallel.value),
            wait_healthy: self.wait_healthy,
            strict: given.strict,
            allow: self.allowed()?,
            limits: self.limits()?,
            outputs: self.outputs()?,
            bounds: Vec::new(),
            retry_of: None,
        };
        request.vars = self.vars(context, app, (&request, git)).await?;
        if let Some(opened) = opened {
            request.vars.directory.clone_from(&opened.directory);
        }
        Ok(request)
    }

    async fn vars(
        &self,
        context: &Context,
        app: &App,
        (request, git): (&Request, Option<GitInfo>),
    ) -> Result<RunVars, CliError> {
        let (commit, branch) = git.map(|it| (it.commit, it.branch)).unwrap_or_default();
        let registry = self.registry.clone();
        let id = app.draw_id();
        let mut vars = RunVars {
            registry: registry
                .or_else(|| context.settings.registry.value.clone())
                .unwrap_or_default(),
            date: app.ports.clock.now(),
            shared_volume: format!("acb_vol_{id}"),
            os: "linux".to_owned(),
            architecture: architecture().to_owned(),
            commit,
            branch,
            id,
            ..RunVars::default()
        };
        // The engine is asked only by files that may want to know.
        if ["OSVersion", "Architecture"]
            .iter()
            .any(|word| request.text.contains(word))
        {
            let info = app.ports.containers.info().await.map_err(AppError::from)?;
            vars.os_version = info.os_version;
            vars.architecture = info.architecture;
        }
        Ok(vars)
    }

    fn timeout_seconds(&self, context: &Context) -> Result<u64, CliError> {
        match &self.timeout {
            Some(text) => seconds(text),
            None => Ok(context.settings.timeout_seconds.value),
        }
    }

    /// What the user allowed; a word that is not known is an error.
    pub fn allowed(&self) -> Result<Vec<String>, CliError> {
        let words = self.allow.iter().flat_map(|list| list.split(','));
        words
            .map(|word| match Grant::parse(word) {
                Some(_) => Ok(word.to_owned()),
                None => Err(CliError::usage(
                    format!("--allow {word} is not known"),
                    "It takes privileged, docker-socket, host-network, external-network=NAME, host-path=/DIR, private-address or local-repository",
                )),
            })
            .collect()
    }

    fn limits(&self) -> Result<Limits, CliError> {
        let memory = self.memory.as_deref().map(command_line::parse_memory);
        let cpus = self.cpus.as_deref().map(command_line::parse_cpus);
        Ok(Limits {
            pids: (self.pids_limit > 0).then_some(self.pids_limit),
            memory_bytes: memory
                .transpose()
                .map_err(|error| CliError::usage(format!("--memory: {error}"), ""))?,
            nano_cpus: cpus
                .transpose()
                .map_err(|error| CliError::usage(format!("--cpus: {error}"), ""))?,
        })
    }

    fn outputs(&self) -> Result<Vec<OutputWish>, CliError> {
        self.output
            .iter()
            .map(|word| match word.split_once('=') {
                Some((source, folder)) if !source.is_empty() && !folder.is_empty() => {
                    Ok(OutputWish {
                        source: source.to_owned(),
                        folder: std::path::absolute(folder).unwrap_or_else(|_| folder.into()),
                    })
                }
                _ => Err(CliError::usage(
                    format!("--output {word} is not SRC=DIR"),
                    "For example --output dist=./out",
                )),
            })
            .collect()
    }
}

/// This machine's architecture in image terms.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

/// Reads a time: bare seconds as in ACR, or with units.
pub fn seconds(text: &str) -> Result<u64, CliError> {
    let parsed = match text.parse::<u64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => humantime::parse_duration(text).ok().map(|it| it.as_secs()),
    };
    // More than a year is a slip of the finger.
    parsed
        .filter(|it| (1..=31_536_000).contains(it))
        .ok_or_else(|| {
            CliError::usage(
                format!("the time {text:?} cannot be used"),
                "Write seconds, or a time such as 30m or 1h30m",
            )
        })
}

/// Reads `NAME=VALUE`, `NAME=@FILE` or `NAME`, which stands for the variable.
pub fn secret_value(word: &str) -> Result<(String, SecretString), CliError> {
    match word.split_once('=') {
        Some((name, value)) => match value.strip_prefix('@') {
            Some(path) => Ok((name.to_owned(), read_secret(path)?)),
            None => Ok((name.to_owned(), SecretString::from(value))),
        },
        None => match std::env::var(word) {
            Ok(value) => Ok((word.to_owned(), SecretString::from(value))),
            Err(_) => Err(CliError::usage(
                format!("--set-secret {word} has no value, and no variable {word} is set"),
                format!("Write {word}=@FILE, or set the variable"),
            )),
        },
    }
}

/// Reads `ID=env:NAME`, `ID=file:PATH` or `ID=store:NAME`.
async fn secret_from(app: &App, word: &str) -> Result<(String, SecretString), CliError> {
    let wrong = || {
        CliError::usage(
            format!("--secret-from {word} is not ID=env:NAME, ID=file:PATH or ID=store:NAME"),
            "For example --secret-from token=env:TOKEN",
        )
    };
    let (id, source) = word.split_once('=').ok_or_else(wrong)?;
    let (kind, name) = source.split_once(':').ok_or_else(wrong)?;
    let value = match kind {
        "env" => from_variable(&format!("secret {id}"), name)?,
        "file" => read_secret(name)?,
        "store" => app.stored_secret(name).await?,
        _ => return Err(wrong()),
    };
    Ok((id.to_owned(), value))
}

/// Reads the secret behind `env:NAME` or `file:PATH`.
pub fn secret_of(id: &str, source: &str) -> Result<SecretString, CliError> {
    if let Some(name) = source.strip_prefix("env:") {
        return from_variable(&format!("secret {id}"), name);
    }
    match source.strip_prefix("file:") {
        Some(path) => read_secret(path),
        None => Err(CliError::usage(
            format!("the secret {id} comes from neither env:NAME nor file:PATH"),
            "For example env:TOKEN",
        )),
    }
}

/// Reads a secret file; the newline that editors leave at its end is not part of the secret.
fn read_secret(path: &str) -> Result<SecretString, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("secret file {path}: {error}"), ""))?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}
