//! Decides which steps may start: parents first, then the limit.

use super::{
    Action, Ending, Phase, RunState, StepProgress, StepState, StopReason, Timer, Verdict,
    turn::Turn,
};
use crate::{plan::Plan, spec::StepKind};

impl RunState {
    /// Lets a step go whose parents have all succeeded.
    pub(super) fn release(&mut self, step: u32, turn: &mut Turn) {
        self.touch(step);
        let delay = self.plan.step(step).start_delay_seconds;
        if delay == 0 {
            self.step_mut(step).state = StepState::Ready;
            self.ready.insert(step);
            return;
        }
        self.step_mut(step).state = StepState::Delayed;
        turn.set(Timer::StartDelay(step), delay);
    }

    /// Starts ready steps while the limit allows, in file order, and foresees the next ones.
    pub(super) fn fill(&mut self, turn: &mut Turn) {
        if self.phase != Phase::Active {
            return;
        }
        while self.under_way < self.settings.parallel.max(1) {
            let Some(step) = self.ready.pop_first() else {
                return;
            };
            self.under_way += 1;
            self.launch(step, turn);
        }
        let places = self.settings.parallel as usize;
        for &step in self.ready.iter().take(places) {
            foresee(&self.plan, step, &mut self.steps[step as usize], turn);
        }
    }

    /// Gives a place to a ready step: pulls first where it says so, else starts.
    fn launch(&mut self, step: u32, turn: &mut Turn) {
        self.touch(step);
        if self.plan.step(step).pull {
            let progress = self.step_mut(step);
            progress.state = StepState::Pulling;
            progress.pulls = 1;
            progress.started_at = Some(turn.at);
            turn.want(Action::Pull { step });
        } else {
            self.start_first(step, turn);
        }
    }

    /// Makes the first attempt of a step and starts the clock of its timeout.
    pub(super) fn start_first(&mut self, step: u32, turn: &mut Turn) {
        let timeout = self.plan.step(step).timeout_seconds;
        let deadline = turn.set(Timer::StepTimeout(step), timeout);
        let progress = self.step_mut(step);
        progress.started_at.get_or_insert(turn.at);
        progress.deadline = Some(deadline);
        self.start_attempt(step, turn);
        if self.runs_from_its_start(step) {
            self.foresee_children(step, turn);
        }
    }

    /// Makes another attempt of a step, unless its time is over.
    pub(super) fn start_another(&mut self, step: u32, turn: &mut Turn) {
        if self
            .step(step)
            .deadline
            .is_some_and(|deadline| turn.at >= deadline)
        {
            self.finish(step, Ending::TimedOut, turn);
        } else {
            self.start_attempt(step, turn);
        }
    }

    fn start_attempt(&mut self, step: u32, turn: &mut Turn) {
        let progress = self.step_mut(step);
        progress.attempt += 1;
        progress.tries += 1;
        progress.state = StepState::Starting;
        let attempt = progress.attempt;
        turn.want(Action::Start { step, attempt });
    }

    /// Hints at the children that only wait for what is under way, as many as may start at once.
    pub(super) fn foresee_children(&mut self, step: u32, turn: &mut Turn) {
        let is_next = |child: &u32| self.only_waits_for_what_runs(*child);
        let mut children: Vec<u32> = self.plan.children(step).filter(is_next).collect();
        // The graph lists them in no order that the limit would keep.
        children.sort_unstable();
        children.truncate(self.settings.parallel as usize);
        for child in children {
            foresee(&self.plan, child, &mut self.steps[child as usize], turn);
        }
    }

    fn only_waits_for_what_runs(&self, step: u32) -> bool {
        let runs = |parent: u32| match self.step(parent).state {
            StepState::Running | StepState::AwaitingHealth | StepState::Ended(_) => true,
            StepState::Starting => self.runs_from_its_start(parent),
            _ => false,
        };
        // No more than that can run, so that all others need not be looked at.
        self.step(step).parents_left <= self.settings.parallel && self.plan.parents(step).all(runs)
    }

    /// Says whether nothing is heard between the start of a step and what its children wait for.
    fn runs_from_its_start(&self, step: u32) -> bool {
        let it = self.plan.step(step);
        it.detach || !matches!(it.kind, StepKind::Cmd(_))
    }

    /// Lets the children go that have no other parent left.
    pub(super) fn release_children(&mut self, step: u32, turn: &mut Turn) {
        let plan = self.plan.clone();
        for child in plan.children(step) {
            let progress = self.step_mut(child);
            progress.parents_left -= 1;
            if progress.parents_left == 0 && progress.state == StepState::Waiting {
                self.release(child, turn);
            }
        }
    }

    /// Ends the run with a verdict: nothing new starts, what is under way is stopped, the rest is skipped.
    pub(super) fn end_run(&mut self, verdict: Verdict, turn: &mut Turn) {
        match self.phase {
            Phase::New | Phase::Active => {}
            // The first reason stands.
            Phase::Stopping | Phase::Tidying | Phase::Ended => return,
        }
        self.forget_run_timeout(turn);
        self.verdict = Some(verdict);
        self.phase = Phase::Stopping;
        self.ready.clear();
        for step in 0..self.steps.len() as u32 {
            self.wind_down(step, turn);
        }
    }

    fn wind_down(&mut self, step: u32, turn: &mut Turn) {
        match self.step(step).state {
            StepState::Waiting | StepState::Ready => {
                self.close(step, Ending::Skipped, turn);
            }
            StepState::Delayed => {
                turn.unset(Timer::StartDelay(step));
                self.close(step, Ending::Skipped, turn);
            }
            StepState::PullDelayed => {
                turn.unset(Timer::PullDelay(step));
                self.close(step, Ending::Canceled, turn);
            }
            StepState::RetryDelayed => {
                turn.unset(Timer::RetryDelay(step));
                self.close(step, Ending::Canceled, turn);
            }
            StepState::Pulling
            | StepState::Starting
            | StepState::Running
            | StepState::AwaitingHealth => self.stop(step, StopReason::Canceled, turn),
            StepState::Stopping(_) | StepState::Ended(_) => {}
        }
    }

    /// Asks for the present attempt or pull of a step to be stopped; its timeout has nothing more to say.
    pub(super) fn stop(&mut self, step: u32, why: StopReason, turn: &mut Turn) {
        self.touch(step);
        self.forget_timeout(step, turn);
        let progress = self.step_mut(step);
        let is_pull = progress.state == StepState::Pulling;
        let attempt = if is_pull { 0 } else { progress.attempt };
        progress.state = StepState::Stopping(why);
        turn.want(Action::Stop { step, attempt });
    }

    /// Writes down how a step ended and frees its place.
    pub(super) fn close(&mut self, step: u32, ending: Ending, turn: &mut Turn) {
        self.touch(step);
        self.forget_timeout(step, turn);
        let progress = self.step_mut(step);
        let took_place = progress.state.takes_place();
        progress.state = StepState::Ended(ending);
        progress.ended_at = Some(turn.at);
        self.open -= 1;
        if took_place {
            self.under_way -= 1;
        }
    }

    fn forget_timeout(&mut self, step: u32, turn: &mut Turn) {
        if self.step_mut(step).deadline.take().is_some() {
            turn.unset(Timer::StepTimeout(step));
        }
    }

    /// Forgets the run's timeout, if it was set: the run is decided.
    pub(super) fn forget_run_timeout(&self, turn: &mut Turn) {
        if self.phase == Phase::Active && self.settings.timeout.is_some() {
            turn.unset(Timer::RunTimeout);
        }
    }
}

/// Hints once at a step's first attempt. Only containers can be made ahead, and only where nothing is pulled first.
fn foresee(plan: &Plan, step: u32, progress: &mut StepProgress, turn: &mut Turn) {
    let it = plan.step(step);
    let is_container = matches!(it.kind, StepKind::Cmd(_));
    let is_near = is_container && !it.pull && it.start_delay_seconds == 0;
    if is_near && !std::mem::replace(&mut progress.foreseen, true) {
        turn.want(Action::Foresee { step, attempt: 1 });
    }
}
