//! `careen timer`: when stored tasks run by themselves.

mod history;
mod list;
mod next;
mod status;

use std::process::ExitCode;

use super::{CliError, Context};
use crate::{app::TimerDesk, tasks::Status};

/// What to do with timers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the timers that wait, with their next times
    List(list::Args),
    /// Say in words when a task runs next
    Next(next::Args),
    /// Let a timer start runs, from its next time on
    Enable(status::Args),
    /// Keep a timer from starting runs; what passes meanwhile is not caught up with
    Disable(status::Args),
    /// List what was decided when the times of a task's timers came
    History(history::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::List(args) => list::run(context, args).await,
        Command::Next(args) => next::run(context, args).await,
        Command::Enable(args) => status::run(context, args, Status::Enabled).await,
        Command::Disable(args) => status::run(context, args, Status::Disabled).await,
        Command::History(args) => history::run(context, args).await,
    }
}

/// Opens the desk where timers are looked at.
async fn desk(context: &Context) -> Result<Box<dyn TimerDesk>, CliError> {
    match context.client()? {
        Some(client) => Ok(Box::new(client)),
        None => Ok(Box::new(context.app().await?)),
    }
}
