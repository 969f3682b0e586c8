//! Decides which steps may start: parents first, then the limit.

use super::{
    Action, Ending, Millis, Phase, RunState, StepProgress, StepState, StopReason, Timer, Verdict,
};
use crate::{plan::Plan, spec::StepKind};

impl RunState {
    /// Lets a step go whose parents have all succeeded.
    pub(super) fn release(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        self.touch(step);
        let delay = self.plan.step(step).start_delay_seconds;
        if delay == 0 {
            self.step_mut(step).state = StepState::Ready;
            self.ready.insert(step);
            return;
        }
        self.step_mut(step).state = StepState::Delayed;
        actions.push(Action::Set {
            timer: Timer::StartDelay(step),
            due: at + seconds(delay),
        });
    }

    /// Starts ready steps while the limit allows, in file order, and foresees the next ones.
    pub(super) fn fill(&mut self, at: Millis, actions: &mut Vec<Action>) {
        if self.phase != Phase::Active {
            return;
        }
        while self.under_way < self.settings.parallel.max(1) {
            let Some(step) = self.ready.pop_first() else {
                return;
            };
            self.under_way += 1;
            self.launch(step, at, actions);
        }
        let places = self.settings.parallel as usize;
        for &step in self.ready.iter().take(places) {
            foresee(&self.plan, step, &mut self.steps[step as usize], actions);
        }
    }

    /// Gives a place to a ready step: pulls first where it says so, else starts.
    fn launch(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        self.touch(step);
        if self.plan.step(step).pull {
            let progress = self.step_mut(step);
            progress.state = StepState::Pulling;
            progress.pulls = 1;
            progress.started_at = Some(at);
            actions.push(Action::Pull { step });
        } else {
            self.start_first(step, at, actions);
        }
    }

    /// Makes the first attempt of a step and starts the clock of its timeout.
    pub(super) fn start_first(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        let due = at + seconds(self.plan.step(step).timeout_seconds);
        let progress = self.step_mut(step);
        progress.started_at.get_or_insert(at);
        progress.deadline = Some(due);
        actions.push(Action::Set {
            timer: Timer::StepTimeout(step),
            due,
        });
        self.foresee_children(step, actions);
        self.start_attempt(step, actions);
    }

    /// Makes another attempt of a step, unless its time is over.
    pub(super) fn start_another(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        if self.step(step).deadline.is_some_and(|due| at >= due) {
            self.finish(step, Ending::TimedOut, at, actions);
        } else {
            self.start_attempt(step, actions);
        }
    }

    fn start_attempt(&mut self, step: u32, actions: &mut Vec<Action>) {
        let progress = self.step_mut(step);
        progress.attempt += 1;
        progress.tries += 1;
        progress.state = StepState::Starting;
        let attempt = progress.attempt;
        actions.push(Action::Start { step, attempt });
    }

    /// Hints at the children that only wait for this step, as many as may start at once.
    fn foresee_children(&mut self, step: u32, actions: &mut Vec<Action>) {
        let only_wait = |child: &u32| self.step(*child).parents_left == 1;
        let mut children: Vec<u32> = self.plan.children(step).filter(only_wait).collect();
        // The graph lists them in no order that the limit would keep.
        children.sort_unstable();
        children.truncate(self.settings.parallel as usize);
        for child in children {
            foresee(&self.plan, child, &mut self.steps[child as usize], actions);
        }
    }

    /// Lets the children go that have no other parent left.
    pub(super) fn release_children(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        let plan = self.plan.clone();
        for child in plan.children(step) {
            let progress = self.step_mut(child);
            progress.parents_left -= 1;
            if progress.parents_left == 0 && progress.state == StepState::Waiting {
                self.release(child, at, actions);
            }
        }
    }

    /// Ends the run with a verdict: nothing new starts, what is under way is stopped, the rest is skipped.
    pub(super) fn end_run(&mut self, verdict: Verdict, at: Millis, actions: &mut Vec<Action>) {
        match self.phase {
            Phase::New | Phase::Active => {}
            // The first reason stands.
            Phase::Stopping | Phase::Tidying | Phase::Ended => return,
        }
        self.verdict = Some(verdict);
        self.phase = Phase::Stopping;
        self.ready.clear();
        for step in 0..self.steps.len() as u32 {
            self.wind_down(step, at, actions);
        }
    }

    fn wind_down(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        match self.step(step).state {
            StepState::Waiting | StepState::Ready => {
                self.close(step, Ending::Skipped, at, actions);
            }
            StepState::Delayed => {
                actions.push(Action::Unset {
                    timer: Timer::StartDelay(step),
                });
                self.close(step, Ending::Skipped, at, actions);
            }
            StepState::PullDelayed => {
                actions.push(Action::Unset {
                    timer: Timer::PullDelay(step),
                });
                self.close(step, Ending::Canceled, at, actions);
            }
            StepState::RetryDelayed => {
                actions.push(Action::Unset {
                    timer: Timer::RetryDelay(step),
                });
                self.close(step, Ending::Canceled, at, actions);
            }
            StepState::Pulling
            | StepState::Starting
            | StepState::Running
            | StepState::AwaitingHealth => self.stop(step, StopReason::Canceled, actions),
            StepState::Stopping(_) | StepState::Ended(_) => {}
        }
    }

    /// Asks for the present attempt or pull of a step to be stopped.
    pub(super) fn stop(&mut self, step: u32, why: StopReason, actions: &mut Vec<Action>) {
        self.touch(step);
        let progress = self.step_mut(step);
        let is_pull = progress.state == StepState::Pulling;
        let attempt = if is_pull { 0 } else { progress.attempt };
        progress.state = StepState::Stopping(why);
        actions.push(Action::Stop { step, attempt });
    }

    /// Writes down how a step ended and frees its place.
    pub(super) fn close(
        &mut self,
        step: u32,
        ending: Ending,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        self.touch(step);
        let progress = self.step_mut(step);
        let took_place = progress.state.takes_place();
        let is_timed = progress.deadline.is_some();
        progress.state = StepState::Ended(ending);
        progress.ended_at = Some(at);
        self.open -= 1;
        if took_place {
            self.under_way -= 1;
        }
        if is_timed {
            actions.push(Action::Unset {
                timer: Timer::StepTimeout(step),
            });
        }
    }
}

/// Hints once at a step's first attempt. Only containers can be made ahead, and only where nothing is pulled first.
fn foresee(plan: &Plan, step: u32, progress: &mut StepProgress, actions: &mut Vec<Action>) {
    let it = plan.step(step);
    let is_container = matches!(it.kind, StepKind::Cmd(_));
    let is_near = is_container && !it.pull && it.start_delay_seconds == 0;
    if is_near && !std::mem::replace(&mut progress.foreseen, true) {
        actions.push(Action::Foresee { step, attempt: 1 });
    }
}

/// Turns seconds of a task file into milliseconds, within bounds.
pub(super) fn seconds(seconds: u64) -> Millis {
    i64::try_from(seconds.saturating_mul(1000))
        .unwrap_or(i64::MAX / 4)
        .min(i64::MAX / 4)
}
