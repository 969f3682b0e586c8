//! What a client asks a server to run: everything but what only the server knows.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{App, AppError, ContextSecrets, Limits, Request, SecretText, Secrets, draw};
use crate::{
    ports::{GitInfo, Pin},
    spec::RunVars,
    tasks::{Concurrency, WorkerLoss},
};

/// How long a run may take when nothing is said, in seconds, as in ACR.
const TIMEOUT_SECONDS: u64 = 3600;
/// How many steps may be under way at once, for each core.
const STEPS_PER_CORE: usize = 4;

/// A run to be queued.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunWish {
    /// What the task file is called.
    #[serde(default = "default_file")]
    pub file: String,
    /// The task file's text; without it, `file` is read from the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The context: the digest of one that was uploaded; nothing is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The commit and branch of the context, as its owner knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
    /// What the run is called in lists; the file's name when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Values that templates see as `.Values.NAME`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// Secret values, seen in the same way.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub secret_values: BTreeMap<String, SecretText>,
    /// The task file's secrets, by id.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub secrets: BTreeMap<String, SecretText>,
    /// The texts of the alias files that the task file names.
    #[serde(default)]
    pub alias_files: BTreeMap<String, String>,
    /// The registry that the task calls its own.
    #[serde(default)]
    pub registry: String,
    /// How long the run may take, in seconds.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// How many steps may be under way at once; 0 leaves it to the server.
    #[serde(default)]
    pub parallel: u32,
    /// Whether dependents of a detached step wait until it is healthy.
    #[serde(default)]
    pub wait_healthy: bool,
    /// Whether unknown keys of the file are errors.
    #[serde(default)]
    pub strict: bool,
    /// What the run is to be allowed; the server must allow it, too.
    #[serde(default)]
    pub allow: Vec<String>,
    /// What each step's container may use.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub limits: Limits,
    /// Where and how the run waits for a worker.
    #[serde(default)]
    pub place: PlaceWish,
}

/// Where and how a run is to wait for a worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlaceWish {
    /// The pool whose workers may take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Runs of a higher priority leave the queue first.
    pub priority: i32,
    /// What it must not overlap with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// What becomes of it when its worker is lost together with the engine.
    pub on_worker_loss: WorkerLoss,
    /// The platform of the worker, such as `linux/arm64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Labels that the worker must bear.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What git says of a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Git {
    /// The commit that is checked out.
    pub commit: String,
    /// The branch.
    pub branch: String,
}

impl RunWish {
    /// The wish to run this text, with nothing else said.
    pub fn of_text(text: String, values: Map<String, Value>, registry: String) -> Self {
        Self {
            file: default_file(),
            text: Some(text),
            context: None,
            git: None,
            name: None,
            values,
            secret_values: BTreeMap::new(),
            secrets: BTreeMap::new(),
            alias_files: BTreeMap::new(),
            registry,
            timeout_seconds: TIMEOUT_SECONDS,
            parallel: 0,
            wait_healthy: false,
            strict: false,
            allow: Vec::new(),
            limits: Limits::default(),
            place: PlaceWish::default(),
        }
    }

    /// The wish for what would be run here, with its context uploaded under this digest.
    pub fn of(request: &Request, secrets: &Secrets, context: Option<String>) -> Self {
        let texts = |map: &BTreeMap<String, secrecy::SecretString>| {
            let texts = map
                .iter()
                .map(|(name, it)| (name.clone(), SecretText(it.clone())));
            texts.collect()
        };
        let vars = &request.vars;
        let git = (!vars.commit.is_empty()).then(|| Git {
            commit: vars.commit.clone(),
            branch: vars.branch.clone(),
        });
        Self {
            name: Some(request.name()),
            file: request.file.clone(),
            text: Some(request.text.clone()),
            context,
            git,
            values: request.values.clone(),
            secret_values: texts(&secrets.values),
            secrets: texts(&secrets.declared),
            alias_files: request.alias_files.clone(),
            registry: vars.registry.clone(),
            timeout_seconds: request.timeout_seconds,
            parallel: request.parallel,
            wait_healthy: request.wait_healthy,
            strict: request.strict,
            allow: request.allow.clone(),
            limits: request.limits,
            place: PlaceWish::default(),
        }
    }

    fn secrets(&self) -> Secrets {
        let open = |map: &BTreeMap<String, SecretText>| {
            let open = map.iter().map(|(name, it)| (name.clone(), it.0.clone()));
            open.collect()
        };
        Secrets {
            context: ContextSecrets::default(),
            values: open(&self.secret_values),
            declared: open(&self.secrets),
        }
    }
}

impl App {
    /// Makes the request that a wish stands for; `folder` is where its context has been unpacked here.
    pub async fn wished_request(
        &self,
        wish: RunWish,
        folder: Option<PathBuf>,
    ) -> Result<(Request, Secrets), AppError> {
        let secrets = wish.secrets();
        let text = match wish.text {
            Some(text) => text,
            None => read_file(folder.as_deref(), &wish.file)?,
        };
        let git = wish.git.map(|it| GitInfo {
            commit: it.commit,
            branch: it.branch,
        });
        let mut vars = self.fresh_vars(&text, git).await?;
        vars.registry = wish.registry;
        let request = Request {
            pin: wish.context.map(|digest| Pin::Upload { digest }),
            pins: BTreeMap::new(),
            bases: BTreeMap::new(),
            deferred: None,
            is_restricted: false,
            opened: folder,
            file: wish.name.unwrap_or(wish.file),
            text,
            context: None,
            values: wish.values,
            alias_files: wish.alias_files,
            vars,
            draws: draw(self.ports.clock.now()),
            timeout_seconds: wish.timeout_seconds,
            parallel: match wish.parallel {
                0 => default_parallel(),
                given => given,
            },
            wait_healthy: wish.wait_healthy,
            strict: wish.strict,
            allow: wish.allow,
            limits: wish.limits,
            outputs: Vec::new(),
            bounds: Vec::new(),
            retry_of: None,
        };
        Ok((request, secrets))
    }

    /// The facts of a new run; the engine is asked only by files that may want to know.
    pub(super) async fn fresh_vars(
        &self,
        text: &str,
        git: Option<GitInfo>,
    ) -> Result<RunVars, AppError> {
        let id = self.draw_id();
        let git = git.unwrap_or(GitInfo {
            commit: String::new(),
            branch: String::new(),
        });
        let mut vars = RunVars {
            date: self.ports.clock.now(),
            shared_volume: format!("acb_vol_{id}"),
            os: "linux".to_owned(),
            commit: git.commit,
            branch: git.branch,
            triggered_by: "manual".to_owned(),
            id,
            ..RunVars::default()
        };
        if ["OSVersion", "Architecture"]
            .iter()
            .any(|it| text.contains(it))
        {
            let info = self.ports.containers.info().await?;
            vars.os_version = info.os_version;
            vars.architecture = info.architecture;
        }
        Ok(vars)
    }
}

/// How many steps may be under way at once when nothing is said.
pub(super) fn default_parallel() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores * STEPS_PER_CORE).unwrap_or(u32::MAX)
}

/// Reads a task file of a context; nothing outside of it.
pub(super) fn read_file(folder: Option<&std::path::Path>, file: &str) -> Result<String, AppError> {
    let unreadable = |why: String| {
        AppError::usage(
            format!("cannot read the task file {file}: {why}"),
            "Name a file of the context",
        )
    };
    let folder = folder.ok_or_else(|| unreadable("there is no context".to_owned()))?;
    let path = folder.join(file);
    let inside = std::fs::canonicalize(&path).and_then(|it| Ok((it, folder.canonicalize()?)));
    let (path, folder) = inside.map_err(|error| unreadable(error.to_string()))?;
    if !path.starts_with(folder) {
        return Err(unreadable("it is outside of the context".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

fn default_file() -> String {
    "acb.yaml".to_owned()
}

fn timeout_seconds() -> u64 {
    TIMEOUT_SECONDS
}
