//! `careen runs show`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::{
    super::{CliError, Context, live::duration},
    RunArg, dependencies, parts,
};
use crate::{
    app::AppError,
    ports::{AttemptRow, Place, RecordedEvent, RunRow, StepRow},
};

/// The options of `careen runs show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
    /// Show the recorded events too
    #[arg(long)]
    events: bool,
}

/// Shows one run.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    if let Some(client) = context.client()? {
        let shown = client.run(&args.run.word).await?;
        return show(
            context,
            (&shown.row()?, shown.place.as_ref()),
            (&shown.step_list, &shown.attempts),
            None,
        );
    }
    let app = context.app().await?;
    let id = args.run.find(&app).await?;
    let store = &app.ports.store;
    let run = store.run(&id).await.map_err(AppError::from)?;
    let place = app.place(&run).await.map_err(AppError::from)?;
    let steps = store.steps(&id).await.map_err(AppError::from)?;
    let attempts = store.attempts(&id).await.map_err(AppError::from)?;
    let events = if args.events {
        store
            .events(&id, run.generation)
            .await
            .map_err(AppError::from)?
    } else {
        Vec::new()
    };
    let events = args.events.then_some(events.as_slice());
    show(context, (&run, place.as_ref()), (&steps, &attempts), events)
}

fn show(
    context: &Context,
    (run, place): (&RunRow, Option<&Place>),
    (steps, attempts): (&[StepRow], &[AttemptRow]),
    events: Option<&[RecordedEvent]>,
) -> Result<ExitCode, CliError> {
    if context.globals.json {
        let mut value = json!(run);
        value["place"] = json!(place);
        value["step_list"] = json!(steps);
        value["attempts"] = json!(attempts);
        value["dependencies"] = json!(dependencies::of(steps));
        if let Some(events) = events {
            value["events"] = json!(events);
        }
        context.print_json(&value);
        return Ok(ExitCode::SUCCESS);
    }
    print_run(run, place);
    print_steps(steps);
    parts::print(steps);
    dependencies::print(&dependencies::of(steps));
    for event in events.unwrap_or_default() {
        anstream::println!("{:4} {} {}", event.seq, event.at.to_rfc3339(), event.body);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_run(run: &RunRow, place: Option<&Place>) {
    let line = |name: &str, value: &str| {
        if !value.is_empty() {
            anstream::println!("{name:9} {}", value.replace(char::is_control, " "));
        }
    };
    line("run", &run.id);
    line("name", &run.name);
    line("status", &run.status.as_str().replace('_', " "));
    line("reason", run.reason.as_deref().unwrap_or_default());
    line("waits", &place.map(Place::to_string).unwrap_or_default());
    line("cause", &run.cause);
    if let Some(placement) = &run.placement {
        line("pool", &placement.pool);
        line("worker", run.owner.as_deref().unwrap_or_default());
    }
    if let Some(trigger) = &run.trigger {
        line("trigger", &trigger.key);
    }
    line("queued", &run.created_at.to_rfc3339());
    if let (Some(start), Some(end)) = (run.started_at, run.ended_at) {
        line("time", &duration((end - start).num_milliseconds()));
    }
    for name in ["commit", "branch", "registry"] {
        line(name, run.prepared[name].as_str().unwrap_or_default());
    }
}

fn print_steps(steps: &[StepRow]) {
    if steps.is_empty() {
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["STEP", "KIND", "STATUS", "TIME", "EXIT", "TRIES", ""]);
    for step in steps {
        let took = match (step.started_at, step.ended_at) {
            (Some(start), Some(end)) => duration((end - start).num_milliseconds()),
            _ => String::new(),
        };
        let mut note = step.reason.clone().unwrap_or_default();
        if step.ignored {
            note = format!("ignored. {note}");
        }
        table.add_row([
            step.id.replace(char::is_control, " "),
            step.kind.clone(),
            step.status.as_str().replace('_', " "),
            took,
            step.exit_code
                .map(|code| code.to_string())
                .unwrap_or_default(),
            step.attempts.to_string(),
            note.replace(char::is_control, " "),
        ]);
    }
    anstream::println!("\n{}", table.trim_fmt());
}
