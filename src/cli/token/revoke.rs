//! `careen token revoke`.

use std::process::ExitCode;

use super::super::{CliError, Context};

/// The options of `careen token revoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The token's id, as careen token list shows it
    #[arg(allow_hyphen_values = true)]
    id: String,
}

/// Revokes a token at once.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    context.app().await?.revoke_token(&args.id).await?;
    if !context.globals.quiet {
        anstream::eprintln!("revoked token {}", args.id);
    }
    Ok(ExitCode::SUCCESS)
}
