//! A run on a terminal: a moving line for each step under way, finished ones and log lines scroll above.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::words::{colour, id_cell, id_width, mark, status_line, tame};
use crate::{
    engine::StepStatus,
    plan::Plan,
    ports::Progress,
    runner::{Change, LogLine, Watcher},
};

/// How often the moving lines move.
const TICK: Duration = Duration::from_millis(100);
/// Moving lines at once; more would not fit on a screen.
const LINES: usize = 16;

/// Draws on the terminal.
pub(super) struct Terminal {
    plan: Arc<Plan>,
    columns: usize,
    lines: MultiProgress,
    /// Whether colours are wanted, as NO_COLOR and the like say.
    is_coloured: bool,
    moving: Mutex<HashMap<u32, ProgressBar>>,
}

impl Terminal {
    /// Shows a plan's run.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            columns: id_width(&plan),
            plan,
            lines: MultiProgress::new(),
            is_coloured: anstream::stderr().current_choice() != anstream::ColorChoice::Never,
            moving: Mutex::default(),
        }
    }

    fn prefix(&self, step: u32) -> String {
        let style = colour(step);
        let cell = id_cell(&self.plan.step(step).id, self.columns);
        format!("{style}{cell}{style:#}")
    }

    fn begin(&self, moving: &mut HashMap<u32, ProgressBar>, step: u32) {
        if moving.len() >= LINES || moving.contains_key(&step) {
            return;
        }
        let style = ProgressStyle::with_template("{prefix} {spinner} {elapsed:>4} {wide_msg}");
        let bar = self.lines.add(ProgressBar::new_spinner());
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_prefix(self.prefix(step));
        bar.enable_steady_tick(TICK);
        moving.insert(step, bar);
    }

    fn print(&self, text: &str) {
        let plain;
        let text = if self.is_coloured {
            text
        } else {
            plain = anstream::adapter::strip_str(text).to_string();
            &plain
        };
        // A terminal that went away must not stop the run.
        let _ = self.lines.println(text);
    }
}

impl Watcher for Terminal {
    fn changed(&self, change: &Change<'_>) {
        let mut moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        for &step in change.touched {
            let status = change.state.step_status(step);
            match status {
                StepStatus::Waiting => {}
                StepStatus::Running => {
                    self.begin(&mut moving, step);
                    if let (Some(bar), Some(line)) =
                        (moving.get(&step), status_line(change.state, step))
                    {
                        bar.set_message(line);
                    }
                }
                _ => {
                    if let Some(bar) = moving.remove(&step) {
                        bar.finish_and_clear();
                    }
                    if let Some(line) = status_line(change.state, step) {
                        let (sign, style) = mark(status);
                        let prefix = self.prefix(step);
                        self.print(&format!("{prefix} {style}{sign} {line}{style:#}"));
                    }
                }
            }
        }
    }

    fn line(&self, line: LogLine) {
        self.print(&format!(
            "{} | {}",
            self.prefix(line.step),
            tame(&line.text)
        ));
    }

    fn progress(&self, step: u32, progress: Progress) {
        let moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = moving.get(&step) {
            bar.set_message(progress.text);
        }
    }

    fn note(&self, text: &str) {
        self.print(text);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.lines.clear();
    }
}
