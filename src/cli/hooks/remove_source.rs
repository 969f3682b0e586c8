//! `careen hooks remove-source`.

use std::process::ExitCode;

use super::super::{CliError, Context};

/// The options of `careen hooks remove-source`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The source's name
    name: String,
}

/// Lets a source deliver no more.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    match context.client()? {
        Some(client) => client.remove_hook_source(&args.name).await?,
        None => context.app().await?.remove_hook_source(&args.name).await?,
    }
    Ok(ExitCode::SUCCESS)
}
