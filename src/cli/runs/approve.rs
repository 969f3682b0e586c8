//! `careen runs approve`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    RunArg,
};

/// The options of `careen runs approve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
}

/// Lets a run go that waits for approval, such as one of a fork's pull request.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let id = match context.client()? {
        Some(client) => {
            client.approve(&args.run.word).await?;
            args.run.word
        }
        None => {
            let app = context.app().await?;
            let id = args.run.find(&app).await?;
            app.approve_run(&id, "the command line").await?;
            id
        }
    };
    if !context.globals.quiet {
        anstream::eprintln!("run {id} may go");
    }
    Ok(ExitCode::SUCCESS)
}
