//! A run as plain lines, each with its step's id, for pipes and files.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use super::words::{colour, id_cell, id_width, mark, status_line, tame};
use crate::{
    plan::Plan,
    ports::Progress,
    runner::{Change, LogLine, Watcher},
};

/// Writes log lines to one place and what happens to standard error.
pub(super) struct Plain {
    plan: Arc<Plan>,
    columns: usize,
    /// What was last said of each step, so that nothing is said twice.
    said: Mutex<Vec<Option<String>>>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Plain {
    /// Shows a plan's run.
    pub fn new(plan: Arc<Plan>, out: Box<dyn Write + Send>) -> Self {
        Self {
            columns: id_width(&plan),
            said: Mutex::new(vec![None; plan.steps().len()]),
            plan,
            out: Mutex::new(out),
        }
    }

    fn prefix(&self, step: u32) -> String {
        let style = colour(step);
        let cell = id_cell(&self.plan.step(step).id, self.columns);
        format!("{style}{cell}{style:#}")
    }
}

impl Watcher for Plain {
    fn changed(&self, change: &Change<'_>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for &step in change.touched {
            let line = status_line(change.state, step);
            if line.is_none() || said[step as usize] == line {
                continue;
            }
            if let Some(text) = &line {
                let (sign, style) = mark(change.state.step_status(step));
                anstream::eprintln!("{} {style}{sign} {text}{style:#}", self.prefix(step));
            }
            said[step as usize] = line;
        }
    }

    fn line(&self, line: LogLine) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader that went away must not stop the run.
        let _ = writeln!(out, "{} | {}", self.prefix(line.step), tame(&line.text));
    }

    fn progress(&self, _: u32, _: Progress) {}

    fn note(&self, text: &str) {
        anstream::eprintln!("{text}");
    }
}
