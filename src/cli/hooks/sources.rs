//! `careen hooks sources`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use super::super::{CliError, Context};

/// The options of `careen hooks sources`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Lists who may deliver; no secret is shown.
pub async fn run(context: &Context, _: Args) -> Result<ExitCode, CliError> {
    let sources = match context.client()? {
        Some(client) => client.hook_sources().await?,
        None => context.app().await?.hook_sources().await?,
    };
    if context.globals.json {
        context.print_json(&serde_json::json!(sources));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["SOURCE", "KIND", "TASK", "REPORTS", "SET"]);
    for source in sources {
        let reports = if source.has_token { "yes" } else { "no" };
        table.add_row([
            source.name,
            source.provider.as_str().to_owned(),
            source.task.unwrap_or_else(|| "all".to_owned()),
            reports.to_owned(),
            source.updated_at.format("%F %T").to_string(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}
