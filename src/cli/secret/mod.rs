//! `careen secret`: keeps secrets for tasks.

mod list;
mod rekey;
mod remove;
mod set;

use std::process::ExitCode;

use super::{CliError, Context};

/// What to do with secrets.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Set a secret, from a prompt, standard input, a variable or a file
    Set(set::Args),
    /// List the names of secrets
    List,
    /// Remove a secret
    Remove(remove::Args),
    /// Seal connections and secrets with a new key; with keys given by CAREEN_KEY or CAREEN_KEY_FILE, with the first
    Rekey,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Set(args) => set::run(context, args).await,
        Command::List => list::run(context).await,
        Command::Remove(args) => remove::run(context, args).await,
        Command::Rekey => rekey::run(context).await,
    }
}
