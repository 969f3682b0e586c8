//! `careen timer history`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::super::{CliError, Context};

/// The options of `careen timer history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Lists which times started which run, and which did not and why.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let desk = super::desk(context).await?;
    let told = desk.occurrences_of(&args.task, args.limit).await?;
    if context.globals.json {
        context.print_json(&json!(told));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["TIMER", "TIME", "RUN", "WHY"]);
    for one in &told {
        table.add_row([
            one.timer.clone(),
            one.at.format("%Y-%m-%dT%H:%MZ").to_string(),
            one.run.clone().unwrap_or_else(|| "-".to_owned()),
            one.reason.clone(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}
