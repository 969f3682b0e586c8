//! `careen hooks show`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    DeliveryArg,
};
use crate::ports::{Decision, Delivery};

/// The options of `careen hooks show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    delivery: DeliveryArg,
}

/// Shows one delivery with its decision.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let number = args.delivery.number;
    let delivery = match context.client()? {
        Some(client) => client.delivery(number).await?,
        None => context.app().await?.delivery(number).await?,
    };
    if context.globals.json {
        context.print_json(&serde_json::json!(delivery));
        return Ok(ExitCode::SUCCESS);
    }
    print_delivery(&delivery);
    if let Some(decision) = &delivery.decision {
        print_decision(decision);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_delivery(delivery: &Delivery) {
    line("delivery", &delivery.number.to_string());
    line("came", &delivery.at.to_rfc3339());
    line("source", &delivery.source);
    line(
        "task",
        delivery
            .task
            .as_deref()
            .unwrap_or("all that watch the repository"),
    );
    line("event", &delivery.event);
    for (name, value) in &delivery.headers {
        line(name, value);
    }
    if delivery.replays > 0 {
        line("replays", &delivery.replays.to_string());
    }
}

/// Prints what was decided, task by task.
pub fn print_decision(decision: &Decision) {
    line("decided", &decision.at.to_rfc3339());
    line("decision", &decision.summary);
    for task in &decision.tasks {
        let run = task
            .run
            .as_ref()
            .map(|run| format!(" run {run}"))
            .unwrap_or_default();
        line(&task.task, &format!("{}{run}", task.reason));
    }
}

fn line(name: &str, value: &str) {
    anstream::println!("{name:10} {}", value.replace(char::is_control, " "));
}
