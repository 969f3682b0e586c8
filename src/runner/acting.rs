//! Does what the engine wants done, once it is recorded.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    attempt, building,
    dispatch::{Dispatcher, Env, Input, UnderWay},
    health, images, making, pushing, registry_faults,
    tidy::{self, Left},
};
use crate::{
    engine::{Action, Event, Millis},
    ports::{Progress, Right},
    spec::StepKind,
};

impl Dispatcher {
    /// Begins one action; none of them holds the loop up.
    pub(super) fn act(&mut self, action: Action, now: Millis) {
        match action {
            Action::Set { timer, due } => {
                let inbox = self.env.inbox.clone();
                self.timers.set(timer, due, now, &inbox);
            }
            Action::Unset { timer } => self.timers.unset(timer),
            Action::Foresee { step, attempt } => self.foresee(step, attempt),
            Action::Start { step, attempt } => self.start(step, attempt),
            Action::Pull { step } => self.pull(step),
            Action::WatchHealth { step, attempt } => {
                tokio::spawn(health::watch(self.env.clone(), step, attempt));
            }
            Action::Stop { step, attempt } => self.stop(step, attempt),
            Action::Remove { step, attempt } => self.remove(step, attempt),
            Action::Tidy => self.tidy(),
        }
    }

    fn foresee(&mut self, step: u32, attempt: u32) {
        if !making::may_be_made_ahead(&self.env.job, step) {
            return;
        }
        self.foreseen.entry((step, attempt)).or_insert_with(|| {
            let env = self.env.clone();
            tokio::spawn(async move { making::make_ahead(&env, step, attempt).await })
        });
    }

    fn start(&mut self, step: u32, attempt: u32) {
        let env = self.env.clone();
        let stop = CancellationToken::new();
        let token = stop.clone();
        let span = self.span(step, attempt);
        let task = match &env.job.plan.step(step).kind {
            StepKind::Cmd(_) => {
                let ahead = self.foreseen.remove(&(step, attempt));
                tokio::spawn(attempt::run(env, step, attempt, ahead, token).instrument(span))
            }
            StepKind::Build(_) => {
                tokio::spawn(building::run(env, step, attempt, token).instrument(span))
            }
            StepKind::Push(_) => {
                tokio::spawn(pushing::run(env, step, attempt, token).instrument(span))
            }
        };
        self.under_way
            .insert((step, attempt), UnderWay { stop, task });
    }

    /// The span of an attempt, below that of its run.
    fn span(&self, step: u32, attempt: u32) -> tracing::Span {
        let job = &self.env.job;
        let id = job.plan.step(step).id.as_str();
        tracing::info_span!("step", run = job.run.id, step = id, attempt)
    }

    fn pull(&mut self, step: u32) {
        let env = self.env.clone();
        let stop = CancellationToken::new();
        let token = stop.clone();
        let task = tokio::spawn(async move {
            let event = tokio::select! {
                fault = pull(&env, step) => Event::Pulled { step, fault },
                () = token.cancelled() => Event::Stopped { step, attempt: 0 },
            };
            env.inbox.send(Input::event(event));
        });
        self.under_way.insert((step, 0), UnderWay { stop, task });
    }

    fn stop(&mut self, step: u32, attempt: u32) {
        match self.under_way.get(&(step, attempt)) {
            Some(it) if !it.task.is_finished() => it.stop.cancel(),
            _ => {
                let event = Event::Stopped { step, attempt };
                self.env.inbox.send(Input::event(event));
            }
        }
    }

    fn remove(&mut self, step: u32, attempt: u32) {
        let env = self.env.clone();
        self.removals.spawn(async move {
            let name = env
                .job
                .attempt_name(env.ports.store.store_id(), step, attempt);
            if let Err(error) = env.ports.containers.remove(&name).await {
                tracing::warn!(%error, name, "could not remove a container; the tidying will");
            }
        });
    }

    fn tidy(&mut self) {
        let left = Left {
            setup: self.setup.take(),
            under_way: std::mem::take(&mut self.under_way),
            foreseen: std::mem::take(&mut self.foreseen),
            removals: std::mem::take(&mut self.removals),
        };
        let env = self.env.clone();
        tokio::spawn(async move {
            tidy::tidy(&env, left).await;
            env.inbox.send(Input::event(Event::Tidied));
        });
    }
}

/// Pulls a step's image because the step says `pull`.
async fn pull(env: &Arc<Env>, step: u32) -> Option<crate::engine::Fault> {
    let StepKind::Cmd(command) = &env.job.plan.step(step).kind else {
        return None;
    };
    let sink = ProgressOnly {
        env: env.clone(),
        step,
    };
    let platform = command.platform.as_deref();
    let pulled = images::pull(&env.ports, &env.job, &command.image, platform, &sink).await;
    match pulled {
        Ok(_) => None,
        Err(error) => Some(registry_faults::fault(env, (Right::Pull, &error)).await),
    }
}

/// A sink for calls that have no log of their own.
pub(super) struct ProgressOnly {
    pub env: Arc<Env>,
    pub step: u32,
}

impl crate::ports::Sink for ProgressOnly {
    fn output(&self, _: crate::ports::Output) {}

    fn progress(&self, progress: Progress) {
        self.env.watcher.progress(self.step, progress);
    }
}
