//! `careen timer list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::super::{CliError, Context};

/// The options of `careen timer list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the timers of this task
    #[arg(value_name = "TASK")]
    task: Option<String>,
}

/// Lists the timers that wait; those that are disabled wait for nothing.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let desk = super::desk(context).await?;
    let timers = desk.timers_of(args.task.as_deref()).await?;
    if context.globals.json {
        context.print_json(&json!(timers));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["TASK", "TIMER", "NEXT", "PROBLEM"]);
    for timer in &timers {
        table.add_row([
            timer.task.clone(),
            timer.name.clone(),
            timer.next_at.format("%Y-%m-%dT%H:%MZ").to_string(),
            timer.problem.clone().unwrap_or_default(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}
