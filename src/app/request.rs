//! What was asked to be run: enough to run it again, with no secret in clear.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Deferred, contexts};
use crate::{
    ports::{CredentialScopes, Pin},
    runner,
    spec::{Draws, Grant, RunVars, context::Login},
};

/// What each step's container may use.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Processes and threads.
    pub pids: Option<i64>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
}

impl From<Limits> for runner::Limits {
    fn from(limits: Limits) -> Self {
        Self {
            pids: limits.pids,
            memory_bytes: limits.memory_bytes,
            nano_cpus: limits.nano_cpus,
        }
    }
}

/// A path of the workspace to be saved when the run ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputWish {
    /// The path in the workspace.
    pub source: String,
    /// The folder to copy it into.
    pub folder: PathBuf,
}

/// What was asked to be run. Values that are secret are left out; their names stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What the task file is called: a path, `-`, or the command of `--cmd`.
    pub file: String,
    /// The task file's text, before templates.
    pub text: String,
    /// The context, a folder of this machine; `None` if there is none, or it is from elsewhere.
    pub context: Option<PathBuf>,
    /// What the context stood for when it was opened or kept.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// What the contexts of builds stood for in the run that this one repeats, by their spelling.
    #[serde(default)]
    pub pins: BTreeMap<String, Pin>,
    /// The digests that builds take for their bases, by complete name; all else is looked up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, String>,
    /// What is found out only by the worker that has the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<Deferred>,
    /// Whether it is a stranger's work, which is given no credentials.
    #[serde(default)]
    pub is_restricted: bool,
    /// What those who asked for it may use credentials for; what one of them may not, the run may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<CredentialScopes>,
    /// Where a context from elsewhere is on this machine just now.
    #[serde(skip)]
    pub opened: Option<PathBuf>,
    /// The values that are not secret.
    pub values: Map<String, Value>,
    /// The texts of the alias files that the task file names.
    #[serde(default)]
    pub alias_files: BTreeMap<String, String>,
    /// What templates see as `.Run`.
    pub vars: RunVars,
    /// The moment and the seed of `now` and the random functions.
    pub draws: Draws,
    /// How long the whole run may take, in seconds.
    pub timeout_seconds: u64,
    /// How many steps may be under way at once.
    pub parallel: u32,
    /// Whether dependents of a detached step wait until it is healthy.
    pub wait_healthy: bool,
    /// Whether unknown keys of the file are errors.
    pub strict: bool,
    /// What the user allowed, as `--allow` takes it.
    pub allow: Vec<String>,
    /// What each step's container may use.
    pub limits: Limits,
    /// What to save at the end.
    pub outputs: Vec<OutputWish>,
    /// The run that did not succeed, and whose work is kept where it still is.
    #[serde(default)]
    pub retry_of: Option<String>,
}

impl Request {
    /// The run's registry, if one is set.
    pub fn registry(&self) -> Option<&str> {
        Some(self.vars.registry.as_str()).filter(|it| !it.is_empty())
    }

    /// What the run is called in lists.
    pub fn name(&self) -> String {
        if !self.vars.task_name.is_empty() {
            return self.vars.task_name.clone();
        }
        // Whoever sent the context has named the run.
        if let Some(Pin::Upload { .. }) = &self.pin {
            return self.file.clone();
        }
        let name = Path::new(&self.file).file_name();
        let name = name.map_or(self.file.clone(), |it| it.to_string_lossy().into_owned());
        let folder = self.context.as_deref().and_then(Path::file_name);
        let folder = folder.map(|it| it.to_string_lossy().into_owned());
        let folder = folder.or_else(|| contexts::short_name(self.pin.as_ref()?));
        match folder {
            Some(folder) if !self.file.contains(char::is_whitespace) => format!("{folder}/{name}"),
            _ => name,
        }
    }

    /// Lets the run use no more credentials than someone may who asks for it.
    pub fn bind(&mut self, bound: Option<&CredentialScopes>) {
        if let Some(bound) = bound.filter(|it| !self.bounds.contains(it)) {
            self.bounds.push(bound.clone());
        }
    }

    /// Where the files of the context are, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.opened.as_deref().or(self.context.as_deref())
    }

    /// What the user allowed; a word that is not known was refused when it was typed.
    pub fn grants(&self) -> impl Iterator<Item = Grant> + '_ {
        self.allow.iter().filter_map(|word| Grant::parse(word))
    }

    /// The same request for another run: same text, values and draws, its own id and date.
    pub fn again(&self, id: &str, now: DateTime<Utc>) -> Self {
        let mut again = self.clone();
        id.clone_into(&mut again.vars.id);
        again.vars.date = now;
        again.retry_of = None;
        again
    }
}

/// Draws the moment and the seed of a run.
pub fn draw(now: DateTime<Utc>) -> Draws {
    let mut seed = [0; 32];
    rand::rng().fill(&mut seed);
    Draws { now, seed }
}

/// The secrets of a request, in clear; they live in memory only.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// `--set-secret`: values by name.
    pub values: BTreeMap<String, SecretString>,
    /// What templates see as `.Secrets`, by id.
    pub declared: BTreeMap<String, SecretString>,
    /// What opens the context.
    pub context: ContextSecrets,
}

/// What opens a context from elsewhere, beside its address.
#[derive(Debug, Clone, Default)]
pub struct ContextSecrets {
    /// The host that the login is for, and the login.
    pub login: Option<(String, Login)>,
    /// What belongs behind the `?` of an archive's address.
    pub query: Option<SecretString>,
}

/// The first part of a sealed value's name.
const VALUE: &str = "value:";
/// The first part of a sealed declared secret's name.
const DECLARED: &str = "secret:";
/// The first part of the name of a context's sealed login; host and user follow.
const LOGIN: &str = "context-login:";
/// The name of the sealed end of an archive's address.
const QUERY: &str = "context-query:";

impl Secrets {
    /// All of them with the names under which they are sealed.
    pub fn named(&self) -> impl Iterator<Item = (String, &SecretString)> {
        let values = self.values.iter().map(|(n, v)| (format!("{VALUE}{n}"), v));
        let declared = self.declared.iter();
        let login = self.context.login.iter();
        let query = self.context.query.iter();
        values
            .chain(declared.map(|(n, v)| (format!("{DECLARED}{n}"), v)))
            .chain(login.map(|(host, it)| (format!("{LOGIN}{host}/{}", it.username), &it.password)))
            .chain(query.map(|it| (QUERY.to_owned(), it)))
    }

    /// Puts an opened secret back to its place.
    pub fn put(&mut self, name: &str, value: SecretString) {
        if let Some(name) = name.strip_prefix(VALUE) {
            self.values.insert(name.to_owned(), value);
        } else if let Some(id) = name.strip_prefix(DECLARED) {
            self.declared.insert(id.to_owned(), value);
        } else if let Some(place) = name.strip_prefix(LOGIN) {
            let (host, username) = place.split_once('/').unwrap_or((place, ""));
            let login = Login {
                username: username.to_owned(),
                password: value,
            };
            self.context.login = Some((host.to_owned(), login));
        } else if name == QUERY {
            self.context.query = Some(value);
        }
    }

    /// All of them, to be hidden in logs.
    pub fn all(&self) -> Vec<SecretString> {
        self.named().map(|(_, value)| value.clone()).collect()
    }

    /// The declared ones in clear, for templates.
    pub(super) fn for_templates(&self) -> BTreeMap<String, String> {
        let open =
            |(id, value): (&String, &SecretString)| (id.clone(), value.expose_secret().to_owned());
        self.declared.iter().map(open).collect()
    }
}
