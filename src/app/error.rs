//! What can go wrong in a use case: few kinds, each with one exit code and something to try.

use crate::{
    logs::LogError,
    ports::{
        EngineError, ObjectError, OpenError, OpenFault, RegistryError, StoreError, TaskError,
        VaultError,
    },
    runner::{Denied, RunError},
    text::Diagnostics,
};

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The task file is wrong; the findings say where.
    #[error("{file} has errors")]
    TaskFile {
        /// What the file is called.
        file: String,
        /// Its text.
        text: String,
        /// What is wrong.
        findings: Diagnostics,
    },
    /// The plan asks for something that was not allowed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Denied(Vec<Denied>),
    /// The task needs secrets that were not given.
    #[error("no value for secret{} {}", if .0.len() == 1 { "" } else { "s" }, .0.join(", "))]
    MissingSecrets(Vec<String>),
    /// What was asked makes no sense as it stands; with what to try.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to try.
        hint: String,
    },
    /// The engine could not.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A context could not be opened.
    #[error(transparent)]
    Context(#[from] OpenError),
    /// A registry could not, or would not.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// The object store could not, or would not.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored task could not be read or changed.
    #[error(transparent)]
    Task(TaskError),
    /// The server said no.
    #[error("{message}")]
    Remote {
        /// The status that it answered with; 0 when it did not answer.
        status: u16,
        /// What it said.
        message: String,
        /// What to try.
        hint: String,
    },
    /// A log could not be read.
    #[error("could not read the log: {0}")]
    Log(#[from] LogError),
    /// A secret could not be sealed or opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The run could not be driven to its end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The disk is so full that no new run may begin.
    #[error(
        "the disk of {} has {free_bytes} bytes left, and new runs begin only with {min_free_bytes}",
        folder.display()
    )]
    NoRoom {
        /// A folder on it.
        folder: std::path::PathBuf,
        /// What is left.
        free_bytes: u64,
        /// What is to stay free.
        min_free_bytes: u64,
    },
    /// A file of this machine could not be read or written.
    #[error("{0}")]
    Files(String),
}

impl From<TaskError> for AppError {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Store(error) => AppError::Store(error),
            other => AppError::Task(other),
        }
    }
}

impl From<RegistryError> for AppError {
    /// Puts it into a box, for it is larger than all others.
    fn from(error: RegistryError) -> Self {
        AppError::Registry(Box::new(error))
    }
}

/// The commands that add secrets, and what to write instead for one run.
fn ways_to_give(ids: &[String]) -> String {
    let commands: Vec<String> = ids
        .iter()
        .map(|id| format!("`careen secret set {id}`"))
        .collect();
    format!(
        "Add what is missing with {}, or give it for one run with --secret-from {}=env:VARIABLE, =file:PATH or =store:NAME",
        commands.join(", "),
        ids.first().map_or("ID", String::as_str)
    )
}

impl AppError {
    /// Makes an error of use with something to try.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        AppError::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What to try, as a sentence; `None` when the message says it all.
    pub fn hint(&self) -> Option<String> {
        match self {
            AppError::Usage { hint, .. } | AppError::Remote { hint, .. } => {
                (!hint.is_empty()).then(|| hint.clone())
            }
            AppError::Context(error) => (!error.hint.is_empty()).then(|| error.hint.clone()),
            AppError::MissingSecrets(ids) => Some(ways_to_give(ids)),
            AppError::Engine(error) => Some(crate::runner::hint(error)).filter(|it| !it.is_empty()),
            AppError::Registry(error) => Some(error.hint()),
            AppError::Objects(error) | AppError::Store(StoreError::Objects(error)) => {
                Some(error.hint.clone()).filter(|it| !it.is_empty())
            }
            AppError::Store(StoreError::NoSuchRun(_)) => {
                Some("careen runs list shows the runs that are recorded".to_owned())
            }
            AppError::Store(StoreError::Held { .. }) => Some(
                "Another careen drives it; careen runs logs -f follows what it does".to_owned(),
            ),
            AppError::Store(StoreError::DiskFull) => {
                Some("Free some space, or choose another place with --db".to_owned())
            }
            AppError::Store(StoreError::Refused { .. }) => Some(
                "Mend user, password or name of the database in --db, CAREEN_DB, or the file that CAREEN_DB_FILE names, \
                 and start this again"
                    .to_owned(),
            ),
            AppError::NoRoom { .. } => Some(
                "Free some space, with careen prune for example, or set keep.min_free_bytes to less"
                    .to_owned(),
            ),
            AppError::Task(TaskError::NoSuchTask(_)) => {
                Some("careen task list shows the tasks there are".to_owned())
            }
            AppError::Task(TaskError::Exists(name)) => {
                Some(format!("careen task update {name} changes it"))
            }
            AppError::Task(TaskError::Moved { task, .. }) => Some(format!(
                "Look at it with careen task show {task}, then try again"
            )),
            AppError::TaskFile { .. }
            | AppError::Denied(_)
            | AppError::Store(_)
            | AppError::Task(_)
            | AppError::Log(_)
            | AppError::Vault(_)
            | AppError::Run(_)
            | AppError::Files(_) => None,
        }
    }

    /// Says whether the user's input is to be mended, and not careen or its surroundings.
    pub fn is_users(&self) -> bool {
        if let AppError::Context(error) = self {
            return error.fault != OpenFault::Machine;
        }
        matches!(
            self,
            AppError::Remote {
                status: 400..=499,
                ..
            } | AppError::Task(
                TaskError::NoSuchTask(_)
                    | TaskError::NoSuchVersion(..)
                    | TaskError::Exists(_)
                    | TaskError::Moved { .. }
            ) | AppError::TaskFile { .. }
                | AppError::Denied(_)
                | AppError::MissingSecrets(_)
                | AppError::Usage { .. }
                | AppError::Store(
                    StoreError::NoSuchRun(_) | StoreError::Ambiguous(_) | StoreError::Held { .. }
                )
        )
    }
}
