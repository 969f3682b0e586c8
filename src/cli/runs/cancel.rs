//! `careen runs cancel`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    RunArg,
};

/// The options of `careen runs cancel`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
}

/// Asks the server to stop a run. What runs here is stopped where it was started, with Ctrl-C.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let Some(client) = context.client()? else {
        return Err(CliError::usage(
            "runs of this machine are stopped where they were started, with Ctrl-C",
            "Name a server with --server or CAREEN_SERVER to stop a run there",
        ));
    };
    client.cancel(&args.run.word).await?;
    if !context.globals.quiet {
        anstream::eprintln!("asked for run {} to be stopped", args.run.word);
    }
    Ok(ExitCode::SUCCESS)
}
