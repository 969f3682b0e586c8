//! `careen fleet status`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::{
    super::{CliError, Context},
    desk,
};

/// The options of `careen fleet status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List what is fresh, too
    #[arg(long)]
    all: bool,
}

/// Lists tasks that are not what they should be, and why.
pub async fn run(context: &Context, args: &Args) -> Result<ExitCode, CliError> {
    let tasks = desk(context).await?.status_of(args.all).await?;
    if context.globals.json {
        context.print_json(&json!(tasks));
    } else if tasks.is_empty() {
        anstream::println!("every image of the fleet is what it should be");
    } else {
        anstream::println!("{}", table(&tasks).trim_fmt());
    }
    Ok(ExitCode::SUCCESS)
}

fn table(tasks: &[Value]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["TASK", "STATE", "SINCE", "BECAUSE"]);
    let word = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    for task in tasks {
        let since = &task["stale"]["since"];
        let row = [&task["name"], &task["state"], since, &task["still"]];
        table.add_row(row.map(word));
    }
    table
}
