//! `careen worker list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::{CliError, Context};
use crate::ports::WorkerRow;

/// Lists the workers that were heard of within a day, with what they have and do.
pub(super) async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let workers = super::desk(context).await?.workers().await?;
    if context.globals.json {
        context.print_json(&json!(workers));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "WORKER", "POOL", "STATE", "RUNS", "CPUS", "MEMORY", "PLATFORM", "LABELS", "VERSION",
    ]);
    for worker in &workers {
        let facts = &worker.facts;
        let has = &facts.capacity;
        let labels = has.labels.iter();
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        table.add_row([
            facts.name.clone(),
            facts.pool.clone(),
            state(worker),
            format!("{} of {}", worker.runs.len(), facts.parallel_runs),
            (has.cpu_millis as f64 / 1000.0).to_string(),
            format!("{:.1} GiB", has.memory_bytes as f64 / f64::from(1 << 30)),
            has.platforms
                .iter()
                .filter(|it| it.contains('/'))
                .cloned()
                .collect::<Vec<_>>()
                .join(","),
            labels.join(","),
            facts.version.clone(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}

fn state(worker: &WorkerRow) -> String {
    if !worker.is_here() {
        return format!("gone for {} s", worker.silent_seconds);
    }
    match &worker.facts.problem {
        Some(problem) => format!("{}, in trouble: {problem}", worker.state.as_str()),
        None => worker.state.as_str().to_owned(),
    }
}
