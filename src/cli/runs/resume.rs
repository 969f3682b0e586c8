//! `careen runs resume`.

use std::process::ExitCode;

use super::{
    super::{
        CliError, Context,
        run::{Terms, show},
    },
    RunArg,
};

/// The options of `careen runs resume`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
}

/// Takes up an unfinished run: containers that still run are followed on, what was not begun is begun.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let terms = Terms::of(context)?;
    let app = context.app().await?;
    let id = args.run.find(&app).await?;
    terms.heed_signals();
    let queued = app.resume(&id).await?;
    show(context, &app, queued, terms).await
}
