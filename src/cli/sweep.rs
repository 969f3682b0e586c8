//! `careen sweep`: ends what nobody drives and removes what nobody needs.

use std::process::ExitCode;

use super::{CliError, Context};

/// The options of `careen sweep`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Sweeps and says what it did.
pub async fn run(context: &Context, _: Args) -> Result<ExitCode, CliError> {
    let swept = context.app().await?.sweep().await?;
    if context.globals.json {
        context.print_json(&serde_json::json!(swept));
    } else if !context.globals.quiet {
        for run in &swept.ended {
            anstream::println!("ended run {run}: its careen is gone");
        }
        anstream::println!("removed {} containers, networks and volumes", swept.removed);
    }
    Ok(ExitCode::SUCCESS)
}
