//! `careen hooks replay`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    DeliveryArg,
    show::print_decision,
};

/// The options of `careen hooks replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    delivery: DeliveryArg,
}

/// Decides a delivery again; the runs it starts say that they are of a replay.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let number = args.delivery.number;
    let decision = match context.client()? {
        Some(client) => client.replay_delivery(number).await?,
        None => context.app().await?.replay_delivery(number).await?,
    };
    match context.globals.json {
        true => context.print_json(&serde_json::json!(decision)),
        false => print_decision(&decision),
    }
    Ok(ExitCode::SUCCESS)
}
