//! `careen runs cancel`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    RunArg,
};
use crate::ports::Cancellation;

/// The options of `careen runs cancel`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
}

/// Stops a run: one that waits ends at once, whoever drives another is asked to.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let words = match context.client()? {
        Some(client) => {
            client.cancel(&args.run.word).await?;
            "asked for it to be stopped".to_owned()
        }
        None => {
            let app = context.app().await?;
            let id = args.run.find(&app).await?;
            match app.cancel(&id, "canceled by hand").await? {
                Cancellation::Ended => "canceled; it had not begun".to_owned(),
                Cancellation::Requested => "asked for it to be stopped".to_owned(),
                Cancellation::TooLate(status) => format!("had ended before: {status}"),
            }
        }
    };
    if !context.globals.quiet {
        anstream::eprintln!("run {}: {words}", args.run.word);
    }
    Ok(ExitCode::SUCCESS)
}
