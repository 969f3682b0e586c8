//! `careen worker drain` and `careen worker resume`.

use std::process::ExitCode;

use super::{CliError, Context};
use crate::ports::WorkerState;

/// Names a worker on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The worker
    #[arg(value_name = "WORKER")]
    worker: String,
}

/// Sets whether the worker takes runs; it stays so when the worker starts again.
pub(super) async fn run(
    context: &Context,
    args: &Args,
    state: WorkerState,
) -> Result<ExitCode, CliError> {
    super::desk(context)
        .await?
        .set_worker(&args.worker, state)
        .await?;
    Ok(ExitCode::SUCCESS)
}
