//! `careen runs list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use super::super::{CliError, Context, live::duration};
use crate::{
    app::{App, AppError},
    engine::RunStatus,
    ports::{Place, RunFilter, RunRow},
};

/// The options of `careen runs list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only runs with this status
    #[arg(long)]
    status: Option<RunStatus>,
    /// Only runs of this name
    #[arg(short, long)]
    name: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 15)]
    top: u32,
}

/// Lists runs.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let filter = RunFilter {
        status: args.status,
        name: args.name,
        limit: args.top,
        ..RunFilter::default()
    };
    let runs = match context.client()? {
        Some(client) => client.runs(&filter).await?,
        None => placed(&context.app().await?, &filter).await?,
    };
    if context.globals.json {
        let rows: Vec<_> = runs.iter().map(summary).collect();
        context.print_json(&rows.into());
        return Ok(ExitCode::SUCCESS);
    }
    if context.globals.quiet {
        runs.iter()
            .for_each(|(run, _)| anstream::println!("{}", run.id));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "RUN", "NAME", "STATUS", "CAUSE", "STARTED", "TIME", "STEPS", "",
    ]);
    for (run, place) in &runs {
        table.add_row([
            run.id.clone(),
            run.name.replace(char::is_control, " "),
            run.status.as_str().replace('_', " "),
            run.cause.clone(),
            run.created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            took(run),
            format!("{}/{}", run.steps_ended, run.steps),
            place.as_ref().map(Place::to_string).unwrap_or_default(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}

/// Runs of this machine's database, with where queued ones stand.
async fn placed(app: &App, filter: &RunFilter) -> Result<Vec<(RunRow, Option<Place>)>, AppError> {
    let mut placed = Vec::new();
    for run in app.ports.store.runs(filter).await? {
        let place = app.place(&run).await?;
        placed.push((run, place));
    }
    Ok(placed)
}

fn took(run: &RunRow) -> String {
    match (run.started_at, run.ended_at) {
        (Some(start), Some(end)) => duration((end - start).num_milliseconds()),
        _ => String::new(),
    }
}

/// A run for lists: without its request.
fn summary((run, place): &(RunRow, Option<Place>)) -> serde_json::Value {
    let mut value = serde_json::json!(run);
    value["place"] = serde_json::json!(place);
    if let Some(map) = value.as_object_mut() {
        map.remove("request");
        map.remove("prepared");
    }
    value
}
