//! `careen fleet report`.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    super::{CliError, Context},
    desk,
};

/// The options of `careen fleet report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Count patches since then: 2026-11-01T00:00:00Z, or how long ago, such as 30d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Write Markdown
    #[arg(long)]
    markdown: bool,
}

/// Prints the report.
pub async fn run(context: &Context, args: &Args) -> Result<ExitCode, CliError> {
    let now = Utc::now();
    let since = args
        .since
        .as_deref()
        .map(|word| moment(word, now))
        .transpose()?;
    let report = desk(context).await?.report_of(since).await?;
    if context.globals.json {
        context.print_json(&json!(report));
    } else if args.markdown {
        anstream::print!("{}", report.markdown());
    } else {
        anstream::print!("{}", report.text());
    }
    Ok(ExitCode::SUCCESS)
}

fn moment(word: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, CliError> {
    if let Ok(at) = DateTime::parse_from_rfc3339(word) {
        return Ok(at.to_utc());
    }
    let ago = humantime::parse_duration(word).ok();
    let ago = ago.and_then(|it| TimeDelta::from_std(it).ok());
    ago.and_then(|it| now.checked_sub_signed(it))
        .ok_or_else(|| {
            CliError::usage(
                format!("{word:?} is no time"),
                "Write it as 2026-11-01T00:00:00Z, or how long ago, such as 30d",
            )
        })
}
