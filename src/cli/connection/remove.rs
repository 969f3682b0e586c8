//! `careen connection remove`.

use std::process::ExitCode;

use super::super::{CliError, Context};

/// The options of `careen connection remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The connection
    name: String,
}

/// Removes a connection.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    app.remove_connection(&args.name).await?;
    if !context.globals.quiet {
        anstream::eprintln!("removed connection {}", args.name);
    }
    Ok(ExitCode::SUCCESS)
}
