//! `careen runs retry`.

use std::process::ExitCode;

use super::{
    super::{
        CliError, Context, remote,
        run::{Terms, show},
    },
    RunArg,
};

/// The options of `careen runs retry`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
}

/// Runs what did not succeed again; what was made and is still there is kept.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    if let Some(client) = context.client()? {
        let id = client.retry(&args.run.word).await?;
        return remote::follow(context, &client, &id, false).await;
    }
    let terms = Terms::of(context)?;
    let app = context.app().await?;
    let id = args.run.find(&app).await?;
    terms.heed_signals();
    let queued = app.retry(&id).await?;
    show(context, &app, queued, terms).await
}
