//! `careen fleet`: which images stand on which, what is stale and why, and how it is brought up to date.

mod graph;
mod patch;
mod plan;
mod report;
mod status;

use std::process::ExitCode;

use super::{CliError, Context};
use crate::app::{App, Gathered};

/// What to do with the fleet of stored tasks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show which images stand on which
    Graph(graph::Args),
    /// List what is stale: since when, and because of which base
    Status(status::Args),
    /// Show what would be built, in which order and how long it would take
    Plan(plan::Args),
    /// Build what is stale, bases first, each image once
    Patch(patch::Args),
    /// Report how old bases are and how long patches took
    Report(report::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Graph(args) => graph::run(context, &args).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Patch(args) => patch::run(context, args).await,
        Command::Report(args) => report::run(context, &args).await,
    }
}

/// What is to be brought up to date.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "which", required = true, multiple = false)]
struct Which {
    /// What stands on this image, or on what this task makes
    #[arg(long, value_name = "REF")]
    base: Vec<String>,
    /// Everything that is not what it should be
    #[arg(long)]
    all_stale: bool,
}

/// Opens this machine's careen; a fleet is not yet to be had through a server.
async fn app(context: &Context) -> Result<App, CliError> {
    if context.client()?.is_some() {
        return Err(CliError::usage(
            "the fleet is read from this machine's database, not through a server",
            "Leave --server out, and name the server's database with --db",
        ));
    }
    context.app().await
}

/// Gathers the fleet and says what could not be read.
pub(super) async fn gathered(context: &Context) -> Result<Gathered, CliError> {
    let gathered = app(context).await?.fleet(&context.logins()?).await?;
    say_remarks(context, &gathered);
    Ok(gathered)
}

fn say_remarks(context: &Context, gathered: &Gathered) {
    if !context.globals.quiet {
        gathered
            .remarks
            .iter()
            .for_each(|it| anstream::eprintln!("warning: {it}"));
    }
}
