//! The options of a task that are about its timers.

use crate::tasks::{CatchUp, Definition, TimerTrigger};

/// When a task runs by itself.
#[derive(Debug, Clone, clap::Args)]
pub struct TimerArgs {
    /// Run at these times, as cron writes them in UTC; NAME:CRON names the timer
    #[arg(long, value_name = "[NAME:]CRON")]
    schedule: Vec<String>,
    /// The time zone of all schedules, such as Europe/Berlin; UTC when none was ever said
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Queue timed runs up to so many seconds late, drawn anew each time
    #[arg(long, value_name = "SECONDS")]
    jitter: Option<u32>,
    /// What becomes of times that pass while no server is there: skip, latest or all
    #[arg(long, value_name = "POLICY", value_parser = catch_up)]
    catch_up: Option<CatchUp>,
}

impl TimerArgs {
    /// Writes what was said into a definition.
    pub(super) fn apply(&self, task: &mut Definition) {
        if !self.schedule.is_empty() {
            task.triggers.timer = (1..).zip(&self.schedule).map(timer).collect();
        }
        for timer in &mut task.triggers.timer {
            timer.time_zone = self.time_zone.clone().or(timer.time_zone.take());
            timer.jitter_seconds = self.jitter.unwrap_or(timer.jitter_seconds);
            timer.catch_up = self.catch_up.unwrap_or(timer.catch_up);
        }
    }
}

fn timer((number, word): (u32, &String)) -> TimerTrigger {
    // A cron expression holds no colon.
    let (name, schedule) = match word.split_once(':') {
        Some((name, schedule)) => (name.to_owned(), schedule),
        None => (format!("t{number}"), word.as_str()),
    };
    TimerTrigger::new(name, schedule.trim())
}

fn catch_up(word: &str) -> Result<CatchUp, String> {
    match word {
        "skip" => Ok(CatchUp::Skip),
        "latest" => Ok(CatchUp::Latest),
        "all" => Ok(CatchUp::All),
        _ => Err("it is skip, latest or all".to_owned()),
    }
}
