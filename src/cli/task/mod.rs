//! `careen task`: stored tasks, in the words of `az acr task`.

mod apply;
mod base_image_options;
mod create;
mod definition;
mod delete;
mod diff;
mod history;
mod list;
mod run;
mod show;
mod source_options;
mod status;
mod timer_options;
mod update;

use std::process::ExitCode;

use super::{CliError, Context};
use crate::tasks::Status;

/// What to do with stored tasks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Store a new task
    Create(Box<create::Args>),
    /// Change a task; what is not said stays
    Update(Box<update::Args>),
    /// Show a task
    Show(show::Args),
    /// List tasks
    List(list::Args),
    /// Delete a task; its history stays
    Delete(delete::Args),
    /// Run a task now
    Run(Box<run::Args>),
    /// Let a task be run
    Enable(NameArg),
    /// Keep a task from being run
    Disable(NameArg),
    /// List the versions of a task
    History(NameArg),
    /// Show what tells two versions of a task apart
    Diff(diff::Args),
    /// Make the tasks match a folder of manifests
    Apply(apply::Args),
}

/// Names a task on the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct NameArg {
    /// The task
    #[arg(value_name = "NAME", required_unless_present = "named")]
    word: Option<String>,
    /// The task
    #[arg(
        short = 'n',
        long = "name",
        value_name = "NAME",
        conflicts_with = "word"
    )]
    named: Option<String>,
}

impl NameArg {
    fn name(&self) -> &str {
        let given = self.word.as_deref().or(self.named.as_deref());
        given.unwrap_or_default()
    }
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Create(args) => create::run(context, *args).await,
        Command::Update(args) => update::run(context, *args).await,
        Command::Show(args) => show::run(context, args).await,
        Command::List(args) => list::run(context, args).await,
        Command::Delete(args) => delete::run(context, args).await,
        Command::Run(args) => run::run(context, *args).await,
        Command::Enable(name) => status::run(context, name.name(), Status::Enabled).await,
        Command::Disable(name) => status::run(context, name.name(), Status::Disabled).await,
        Command::History(name) => history::run(context, name.name()).await,
        Command::Diff(args) => diff::run(context, args).await,
        Command::Apply(args) => apply::run(context, args).await,
    }
}
