//! `careen token`: who may use the server.

mod create;
mod list;
mod revoke;

use std::process::ExitCode;

use super::{CliError, Context};

/// What to do with tokens.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a token and print it, this once
    Create(create::Args),
    /// List tokens, without their secrets
    List,
    /// Revoke a token at once
    Revoke(revoke::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Create(args) => create::run(context, args).await,
        Command::List => list::run(context).await,
        Command::Revoke(args) => revoke::run(context, args).await,
    }
}
