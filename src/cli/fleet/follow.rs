//! Follows a rollout that servers drive, to its end.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use serde_json::json;
use tokio::time::sleep;

use super::super::{CliError, Context};
use crate::{
    app::{FleetDesk, RolloutView},
    fleet::RolloutState,
};

/// What `careen fleet patch` exits with when an image is not what it should be.
pub(super) const LEFT: u8 = 1;
/// How often it is asked how far the rollout is.
const LOOK: Duration = Duration::from_millis(500);

/// Says what changes until the rollout is over, or rests; then what is left.
pub(super) async fn follow(
    context: &Context,
    desk: &dyn FleetDesk,
    begun: RolloutView,
) -> Result<ExitCode, CliError> {
    let id = begun.rollout.id.clone();
    let mut told = Told::new(context.globals.quiet);
    told.line(&format!(
        "rollout {id}: {} tasks",
        begun.rollout.tasks.len()
    ));
    let mut view = begun;
    while view.rollout.state == RolloutState::Running {
        told.changes(&view);
        sleep(LOOK).await;
        view = desk.rollout_of(&id).await?;
    }
    told.changes(&view);
    if context.globals.json {
        context.print_json(&json!(view));
    } else {
        for left in &view.left {
            anstream::println!("{}: {}", left.task, left.still);
        }
        let all = view.rollout.tasks.len();
        anstream::println!(
            "{} of {all} tasks are what they should be",
            all - view.left.len()
        );
    }
    let is_good = view.left.is_empty() && view.rollout.state == RolloutState::Done;
    Ok(match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(LEFT),
    })
}

/// What was said of each task.
struct Told {
    is_quiet: bool,
    states: BTreeMap<String, String>,
}

impl Told {
    fn new(is_quiet: bool) -> Self {
        let states = BTreeMap::new();
        Self { is_quiet, states }
    }

    fn line(&self, line: &str) {
        if !self.is_quiet {
            anstream::eprintln!("{line}");
        }
    }

    fn changes(&mut self, view: &RolloutView) {
        for task in &view.rollout.tasks {
            let left = view.left.iter().find(|it| it.task == *task);
            let state = left.map_or("fresh", |it| it.state.as_str());
            let before = self.states.insert(task.clone(), state.to_owned());
            if before.is_some_and(|before| before != state) {
                self.line(&format!("{task}: {state}"));
            }
        }
    }
}
