//! `careen why`: the chain of cause behind an image or a run.

use std::process::ExitCode;

use super::{CliError, Context, fleet::desk};
use crate::app::FleetDesk;

/// The options of `careen why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run, a task of the fleet, or an image
    #[arg(value_name = "IMAGE|RUN")]
    word: String,
}

/// Prints why.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let why = match context.client()? {
        Some(client) => client.why_of(&args.word).await?,
        None => {
            let app = context.app().await?;
            match app.ports.store.find(&args.word).await {
                // What a run was started for is recorded: no registry is asked.
                Ok(run) => app.why_of(&run).await?,
                Err(_) => desk(context).await?.why_of(&args.word).await?,
            }
        }
    };
    if context.globals.json {
        context.print_json(&why.details);
    } else {
        why.lines.iter().for_each(|it| anstream::println!("{it}"));
    }
    Ok(ExitCode::SUCCESS)
}
