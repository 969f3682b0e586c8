//! `careen runs`: looks at recorded runs.

mod approve;
mod cancel;
mod dependencies;
mod files;
mod list;
mod logs;
mod parts;
mod rerun;
mod resume;
mod retry;
mod show;

use std::process::ExitCode;

use super::{CliError, Context};

/// What to do with recorded runs.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List runs, newest first
    List(list::Args),
    /// Show one run with its steps and attempts
    Show(show::Args),
    /// Print the log of a run
    Logs(logs::Args),
    /// Run the same request again, as a new run
    Rerun(rerun::Args),
    /// Run what did not succeed again, keeping images that were built and pushed and commands that nothing else needs
    ///
    /// A run's workspace goes when it ends. So commands that succeeded are run again, too, when a step that is run again
    /// could see their files; builds and pushes are when their image is gone, is named after the run, or stands on a
    /// step that is run again.
    Retry(retry::Args),
    /// Take up an unfinished run whose careen is gone
    Resume(resume::Args),
    /// Stop a run, whatever it is doing
    Cancel(cancel::Args),
    /// Let a run go that waits for approval
    Approve(approve::Args),
    /// List and fetch the files saved from a run's workspace
    Files(files::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::List(args) => list::run(context, args).await,
        Command::Show(args) => show::run(context, args).await,
        Command::Logs(args) => logs::run(context, args).await,
        Command::Rerun(args) => rerun::run(context, args).await,
        Command::Retry(args) => retry::run(context, args).await,
        Command::Resume(args) => resume::run(context, args).await,
        Command::Cancel(args) => cancel::run(context, args).await,
        Command::Approve(args) => approve::run(context, args).await,
        Command::Files(args) => files::run(context, args).await,
    }
}

/// Names a run on the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArg {
    /// The run: its id, the beginning of it, or `latest`
    #[arg(value_name = "RUN", default_value = "latest")]
    word: String,
}

impl RunArg {
    /// Finds the run's id.
    async fn find(&self, app: &crate::app::App) -> Result<String, CliError> {
        let found = app.ports.store.find(&self.word).await;
        Ok(found.map_err(crate::app::AppError::from)?)
    }
}
