//! `careen connection`: keeps credentials of registries.

mod add;
mod list;
mod options;
mod remove;
mod show;
mod test;
mod update;

use std::process::ExitCode;

use super::{CliError, Context};

/// What to do with connections.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a credential of a registry; the password comes from a prompt, standard input or a variable
    Add(add::Args),
    /// List connections
    List,
    /// Show one connection, but never its password
    Show(show::Args),
    /// Say what a credential may do: reach, log in, pull, push, delete
    Test(test::Args),
    /// Change a connection
    Update(update::Args),
    /// Remove a connection
    Remove(remove::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Add(args) => add::run(context, args).await,
        Command::List => list::run(context).await,
        Command::Show(args) => show::run(context, args).await,
        Command::Test(args) => test::run(context, args).await,
        Command::Update(args) => update::run(context, args).await,
        Command::Remove(args) => remove::run(context, args).await,
    }
}
