//! `careen secret remove`.

use std::process::ExitCode;

use super::super::{CliError, Context};

/// The options of `careen secret remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The secret
    name: String,
}

/// Removes a secret.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    app.remove_secret(&args.name).await?;
    if !context.globals.quiet {
        anstream::eprintln!("removed secret {}", args.name);
    }
    Ok(ExitCode::SUCCESS)
}
