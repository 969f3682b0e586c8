//! `careen runs rerun`.

use std::process::ExitCode;

use super::{
    super::{
        CliError, Context, remote,
        run::{Terms, show},
    },
    RunArg,
};

/// The options of `careen runs rerun`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
}

/// Runs a recorded request again, with the same text, values and random draws.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    if let Some(client) = context.client()? {
        let id = client.rerun(&args.run.word).await?;
        return remote::follow(context, &client, &id, false).await;
    }
    let terms = Terms::of(context)?;
    let app = context.app().await?;
    let id = args.run.find(&app).await?;
    terms.heed_signals();
    let queued = app.rerun(&id).await?;
    show(context, &app, queued, terms).await
}
