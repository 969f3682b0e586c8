//! `careen image`: what can be done with images without an engine.

mod copy;

use std::process::ExitCode;

use super::{CliError, Context};

/// What to do with images.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Copy an image, an index with all its platforms, a chart or any other artifact to another repository
    Copy(copy::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Copy(args) => copy::run(context, args).await,
    }
}
