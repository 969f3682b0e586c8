//! `careen hooks`: what code hosts delivered, what was decided, and who may deliver.

mod list;
mod rejected;
mod remove_source;
mod replay;
mod show;
mod source;
mod sources;

use std::process::ExitCode;

use super::{CliError, Context};

/// What to do with deliveries and their sources.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List deliveries, newest first, with what was decided
    List(list::Args),
    /// Show one delivery, and why each task was started or not
    Show(show::Args),
    /// Decide a delivery again, by the tasks as they are now
    Replay(replay::Args),
    /// List deliveries that were refused
    Rejected(rejected::Args),
    /// Set who may deliver; a secret that is set again counts on for a day
    Source(source::Args),
    /// List who may deliver
    Sources(sources::Args),
    /// Let a source deliver no more
    RemoveSource(remove_source::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::List(args) => list::run(context, args).await,
        Command::Show(args) => show::run(context, args).await,
        Command::Replay(args) => replay::run(context, args).await,
        Command::Rejected(args) => rejected::run(context, args).await,
        Command::Source(args) => source::run(context, args).await,
        Command::Sources(args) => sources::run(context, args).await,
        Command::RemoveSource(args) => remove_source::run(context, args).await,
    }
}

/// Names a delivery on the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct DeliveryArg {
    /// The delivery's number, as careen hooks list shows it
    #[arg(value_name = "DELIVERY")]
    number: u64,
}
