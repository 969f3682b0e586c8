//! Shows a run while it happens: on a terminal with moving lines, elsewhere as plain prefixed lines.

mod plain;
mod silent;
mod summary;
mod terminal;
mod words;

use std::{
    io::{IsTerminal, Write},
    sync::Arc,
};

pub use summary::{summary, to_json};
pub use words::{duration, tame};

use super::Globals;
use crate::{plan::Plan, runner::Watcher};

/// Chooses how to show a run.
pub fn watcher(globals: &Globals, plan: &Arc<Plan>, id_only: bool) -> Arc<dyn Watcher> {
    if globals.quiet || id_only {
        return Arc::new(silent::Silent);
    }
    // With --json standard output is for the result alone.
    let out: Box<dyn Write + Send> = if globals.json {
        Box::new(anstream::stderr())
    } else {
        Box::new(anstream::stdout())
    };
    let is_terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    if is_terminal && !globals.json {
        Arc::new(terminal::Terminal::new(plan.clone()))
    } else {
        Arc::new(plain::Plain::new(plan.clone(), out))
    }
}
