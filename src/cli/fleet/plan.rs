//! `careen fleet plan`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::{
    super::{CliError, Context, live::duration},
    Which, desk,
};
use crate::fleet::Estimate;

/// The options of `careen fleet plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Build at most so many at once
    #[arg(long, value_name = "N")]
    max_parallel: Option<u32>,
}

/// Prints what would be built, and when; builds nothing.
pub async fn run(context: &Context, args: &Args) -> Result<ExitCode, CliError> {
    let desk = desk(context).await?;
    let estimate = desk.plan_of(&args.which.base, args.max_parallel).await?;
    if context.globals.json {
        context.print_json(&json!(estimate));
        return Ok(ExitCode::SUCCESS);
    }
    anstream::println!("{}", table(&estimate).trim_fmt());
    if !context.globals.quiet {
        anstream::println!(
            "{} builds in about {}",
            estimate.slots.len(),
            time(estimate.total_seconds)
        );
        anstream::println!("longest row: {}", estimate.critical_path.join(" → "));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(estimate: &Estimate) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["TASK", "LEVEL", "BEGINS AFTER", "TAKES"]);
    for slot in &estimate.slots {
        table.add_row([
            slot.task.clone(),
            slot.level.to_string(),
            time(slot.start_seconds),
            time(slot.end_seconds - slot.start_seconds),
        ]);
    }
    table
}

fn time(seconds: u64) -> String {
    duration(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
}
