//! `careen timer next`.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::super::{CliError, Context};
use crate::tasks::{
    Status, TimerTrigger,
    schedule::{Schedule, in_words},
};

/// The options of `careen timer next`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// How many times to say
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5)]
    count: usize,
}

/// Says when a task runs next, soonest first.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let row = context.desk().await?.get(&args.task).await?;
    let now = Utc::now();
    let task = &row.definition;
    let is_on = |it: &&TimerTrigger| (it.status, task.status) == (Status::Enabled, Status::Enabled);
    let timers = task.triggers.timer.iter().filter(is_on);
    let mut coming: Vec<(DateTime<Utc>, &TimerTrigger, String)> = timers
        .flat_map(|timer| times(timer, now, args.count))
        .collect();
    coming.sort_by_key(|it| it.0);
    coming.truncate(args.count);
    if context.globals.json {
        let times = coming.iter().map(|(at, timer, words)| {
            json!({ "timer": timer.name, "at": at, "words": words, "jitter_seconds": timer.jitter_seconds })
        });
        context.print_json(&times.collect());
        return Ok(ExitCode::SUCCESS);
    }
    if coming.is_empty() {
        anstream::println!("{} has no timer that is enabled", args.task);
    }
    for (_, timer, words) in &coming {
        let jitter = match timer.jitter_seconds {
            0 => String::new(),
            seconds => format!(", give or take up to {seconds} s later"),
        };
        anstream::println!("{}: {words}{jitter}", timer.name);
    }
    Ok(ExitCode::SUCCESS)
}

fn times(
    timer: &TimerTrigger,
    now: DateTime<Utc>,
    count: usize,
) -> Vec<(DateTime<Utc>, &TimerTrigger, String)> {
    // A schedule was checked when its task was stored.
    let Ok(schedule) = Schedule::of(timer) else {
        return Vec::new();
    };
    let told = |at| (at, timer, in_words(at, schedule.zone(), now));
    schedule.after(now).take(count).map(told).collect()
}
