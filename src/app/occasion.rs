//! Makes the request of a task's run that something started, without asking anyone: what lies elsewhere is read by
//! the worker that has the run.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    App, AppError, Overrides, Request, Secrets, contexts, draw, ids,
    run_task::{limits, override_with},
    run_wish::default_parallel,
};
use crate::{
    ports::{Opened, Pin, TaskRow},
    spec::{
        Grant, RunVars,
        context::{self, ContextRef},
    },
    tasks::{Definition, Text},
};

/// The largest task file that is read, in bytes.
const TASK_FILE_BYTES: u64 = 4 << 20;

/// What started a run of a task, as far as its files and templates know of it.
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// What templates see as `.Run.TriggeredBy`, and lists as the cause.
    pub triggered_by: String,
    /// The commit that is built, whatever its branch says later; without it the context is as it is then.
    pub pin: Option<Pin>,
    /// The branch.
    pub branch: String,
    /// The tag.
    pub git_tag: String,
    /// Whether it is a stranger's work: then it sees no secret, no connection, and is allowed nothing.
    pub is_restricted: bool,
}

impl App {
    /// Makes the request of a run of a task on an occasion.
    pub async fn occasional_request(
        &self,
        row: &TaskRow,
        occasion: Occasion,
    ) -> Result<(Request, Secrets), AppError> {
        let mut task = row.definition.clone();
        let mut secrets = Secrets::default();
        if !occasion.is_restricted {
            secrets = self.task_secrets(&task).await?;
            secrets.context.login = self.context_login(&task).await?;
        }
        override_with(&mut task, Overrides::default());
        if occasion.is_restricted {
            task.allow
                .retain(|word| Grant::parse(word).is_some_and(is_about_contexts));
        }
        let (file, text) = match task.text() {
            Text::Inline(text) => (format!("{}.yaml", task.name), Some(text)),
            Text::File(file) => (file, None),
        };
        let vars = self.vars_of(&task, &occasion);
        Ok((
            Request {
                file,
                deferred: Some(Deferred {
                    context: task.context.clone(),
                    reads_file: text.is_none(),
                }),
                text: text.unwrap_or_default(),
                is_restricted: occasion.is_restricted,
                pin: occasion.pin,
                pins: BTreeMap::new(),
                bases: BTreeMap::new(),
                opened: None,
                context: None,
                values: task.values.clone(),
                alias_files: BTreeMap::new(),
                vars,
                draws: draw(self.ports.clock.now()),
                timeout_seconds: task.timeout_seconds,
                parallel: default_parallel(),
                wait_healthy: false,
                strict: false,
                allow: task.allow.clone(),
                limits: limits(&task),
                outputs: Vec::new(),
                bounds: Vec::new(),
                retry_of: None,
            },
            secrets,
        ))
    }

    fn vars_of(&self, task: &Definition, occasion: &Occasion) -> RunVars {
        // Many runs begin in one second, too many for short ids.
        let id = ids::draw_long(self.ports.clock.now());
        let mut platform = task.platform.as_deref().unwrap_or_default().split('/');
        let os = platform.next().filter(|it| !it.is_empty());
        let commit = match &occasion.pin {
            Some(Pin::Commit { commit, .. }) => commit.clone(),
            _ => String::new(),
        };
        RunVars {
            date: self.ports.clock.now(),
            shared_volume: format!("acb_vol_{id}"),
            os: os.unwrap_or("linux").to_owned(),
            architecture: platform.next().unwrap_or_default().to_owned(),
            commit,
            branch: occasion.branch.clone(),
            git_tag: occasion.git_tag.clone(),
            triggered_by: occasion.triggered_by.clone(),
            task_name: task.name.clone(),
            registry: task.registry.clone().unwrap_or_default(),
            id,
            ..RunVars::default()
        }
    }

    /// Opens the context of a run that left that to its worker, and reads the task file from it.
    pub(super) async fn open_deferred(
        &self,
        request: &mut Request,
        secrets: &Secrets,
    ) -> Result<Option<Opened>, AppError> {
        let Some(deferred) = request.deferred.clone() else {
            return Ok(None);
        };
        let opened = self.opened(request, secrets, &deferred).await?;
        if let Some(opened) = &opened {
            request.opened = Some(opened.folder.clone());
            request.pin = Some(opened.pin.clone());
            request.vars.directory.clone_from(&opened.directory);
            if let Some(git) = &opened.git {
                request.vars.commit.clone_from(&git.commit);
                if request.vars.branch.is_empty() {
                    request.vars.branch.clone_from(&git.branch);
                }
            }
        }
        if deferred.reads_file {
            request.text = read_task_file(request)?;
        }
        self.read_alias_files(request, secrets, false).await?;
        let asks_engine = ["OSVersion", "Architecture"]
            .iter()
            .any(|it| request.text.contains(it));
        if asks_engine {
            let info = self.ports.containers.info().await?;
            request.vars.os_version = info.os_version;
            if request.vars.architecture.is_empty() {
                request.vars.architecture = info.architecture;
            }
        }
        Ok(opened)
    }

    async fn opened(
        &self,
        request: &mut Request,
        secrets: &Secrets,
        deferred: &Deferred,
    ) -> Result<Option<Opened>, AppError> {
        let access = contexts::access(request, secrets, &[]);
        if let Some(pin) = &request.pin {
            return Ok(Some(self.ports.contexts.reopen(pin, &access).await?));
        }
        let Some(spelled) = &deferred.context else {
            return Ok(None);
        };
        let written =
            context::read(spelled).map_err(|error| AppError::usage(error.message, error.hint))?;
        match written.context {
            ContextRef::Nothing => Ok(None),
            ContextRef::Folder(folder) => {
                request.context = Some(PathBuf::from(folder));
                Ok(None)
            }
            elsewhere => Ok(Some(self.ports.contexts.open(&elsewhere, &access).await?)),
        }
    }
}

/// What of a request is found out only by the worker that has the run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deferred {
    /// The task's context, as it is spelled.
    pub context: Option<String>,
    /// Whether the task file is read from it.
    pub reads_file: bool,
}

/// Strangers may not widen what their containers can do; where contexts come from was the task's own choice.
fn is_about_contexts(grant: Grant) -> bool {
    matches!(grant, Grant::PrivateAddress | Grant::LocalRepository)
}

fn read_task_file(request: &Request) -> Result<String, AppError> {
    let unreadable = |why: String| {
        let message = format!("cannot read the task file {}: {why}", request.file);
        AppError::usage(message, "Name a file of the context")
    };
    let root = request
        .folder()
        .ok_or_else(|| unreadable("there is no context".to_owned()))?;
    let found = contexts::find_inside(root, &request.vars.directory, request.file.as_ref())?;
    let path = found.ok_or_else(|| unreadable("the context has no such file".to_owned()))?;
    let size = std::fs::metadata(&path).map(|it| it.len());
    if size.is_ok_and(|size| size > TASK_FILE_BYTES) {
        return Err(unreadable(format!(
            "it is larger than {TASK_FILE_BYTES} bytes"
        )));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}
