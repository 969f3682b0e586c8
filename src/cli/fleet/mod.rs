//! `careen fleet`: which images stand on which, what is stale and why, and how it is brought up to date.

mod follow;
mod graph;
mod patch;
mod plan;
mod report;
mod rollouts;
mod status;

use std::process::ExitCode;

use super::{CliError, Context};
use crate::app::{App, FleetDesk, Gathered};

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
    /// Look at rollouts that servers drive, and let them rest, go on or end
    #[command(subcommand)]
    Rollouts(rollouts::Command),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Graph(args) => graph::run(context, &args).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Patch(args) => patch::run(context, args).await,
        Command::Report(args) => report::run(context, &args).await,
        Command::Rollouts(command) => rollouts::run(context, command).await,
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

/// Where the fleet is looked at: the server, which knows it, or this machine after a look at the registries.
pub(super) async fn desk(context: &Context) -> Result<Box<dyn FleetDesk>, CliError> {
    match context.client()? {
        Some(client) => Ok(Box::new(client)),
        None => {
            let app = context.app().await?;
            say_remarks(context, &app.fleet_now(&context.logins()?).await?);
            Ok(Box::new(app))
        }
    }
}

/// Where rollouts are kept.
async fn rollout_desk(context: &Context) -> Result<Box<dyn FleetDesk>, CliError> {
    match context.client()? {
        Some(client) => Ok(Box::new(client)),
        None => Ok(Box::new(context.app().await?)),
    }
}

/// Opens this machine's careen.
async fn app(context: &Context) -> Result<App, CliError> {
    context.app().await
}

fn say_remarks(context: &Context, gathered: &Gathered) {
    if !context.globals.quiet {
        gathered
            .remarks
            .iter()
            .for_each(|it| anstream::eprintln!("warning: {it}"));
    }
}
