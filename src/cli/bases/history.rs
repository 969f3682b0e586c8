//! `careen bases history`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::{
    super::{CliError, Context},
    desk, short,
};

/// The options of `careen bases history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only what concerns this task
    #[arg(value_name = "TASK")]
    task: Option<String>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Lists which moves started which run, and which did not and why.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let told = desk(context).await?;
    let told = told
        .base_decisions_of(args.task.as_deref(), args.limit)
        .await?;
    if context.globals.json {
        context.print_json(&json!(told));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "TIME", "TASK", "IMAGE", "FROM", "TO", "SEEN BY", "RUN", "WHY",
    ]);
    for one in &told {
        let run = match (&one.run, one.due_at) {
            (Some(run), _) => run.clone(),
            (None, Some(_)) => "settling".to_owned(),
            (None, None) => "-".to_owned(),
        };
        table.add_row([
            one.at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            one.task.clone(),
            one.key.clone(),
            one.from.as_deref().map(short).unwrap_or_default(),
            short(&one.to),
            one.how.clone(),
            run,
            one.reason.clone(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}
