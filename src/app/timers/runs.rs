//! The runs of a timer whose time has come: which of its times start one, and what each is.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    super::{App, AppError, Occasion, Overrides, run_task::override_with},
    enabled,
};
use crate::{
    ports::{Firing, NewRun, TaskError, TaskRow, TimedRun, Timer, Trigger, TriggerKind},
    tasks::{
        TimerTrigger,
        schedule::{Schedule, due, jitter},
    },
};

/// How long a run that cannot be queued is tried before its time is passed over, said why.
const PATIENCE: TimeDelta = TimeDelta::minutes(30);

/// What is to become of a timer whose time has come.
pub(super) enum Prepared {
    /// It fires.
    Fire(Box<Firing>),
    /// It is tried again later, for this reason.
    Postpone(Timer, String),
}

impl App {
    /// Prepares what a claimed timer does.
    pub(super) async fn prepare_firing(&self, timer: Timer, now: DateTime<Utc>) -> Prepared {
        let row = match self.tasks.task(&timer.task).await {
            Ok(row) => row,
            Err(TaskError::NoSuchTask(_)) => return gone(timer, now),
            Err(error) => return Prepared::Postpone(timer, error.to_string()),
        };
        let task = &row.definition;
        let trigger = enabled(task).find(|it| it.name == timer.name);
        let schedule = trigger.and_then(|it| Some((it, Schedule::of(it).ok()?)));
        let Some((trigger, schedule)) = schedule else {
            return gone(timer, now);
        };
        // Its jitter is a clock of its own that goes late.
        let own_now = now - (timer.due_at - timer.next_at);
        let due = due(&schedule, timer.next_at, own_now, trigger.catch_up);
        let mut passed = due.missed.map(|it| (it.first, it.reason));
        let mut runs = Vec::with_capacity(due.start.len());
        for at in due.start {
            match self.timed_run(&row, trigger, at).await {
                Ok(timed) => runs.push(timed),
                Err(error) if timer.problem.is_none() || now - at < PATIENCE => {
                    return Prepared::Postpone(timer, error.to_string());
                }
                Err(error) => passed = Some((at, format!("it could not be queued: {error}"))),
            }
        }
        let next = due
            .next
            .map(|at| (at, at + jitter(&task.name, trigger, at)));
        Prepared::Fire(Box::new(Firing {
            timer,
            runs,
            passed,
            next,
            decided_at: now,
        }))
    }

    async fn timed_run(
        &self,
        row: &TaskRow,
        trigger: &TimerTrigger,
        at: DateTime<Utc>,
    ) -> Result<TimedRun, AppError> {
        let task = &row.definition.name;
        let name = &trigger.name;
        let cause = format!("timer {name} at {}", at.format("%Y-%m-%d %H:%M UTC"));
        let trigger = Trigger::new(
            TriggerKind::Timer,
            format!("timer/{task}/{name}/{}", at.format("%Y-%m-%dT%H:%MZ")),
            json!({ "timer": name, "occurrence": at }),
        );
        Ok(TimedRun {
            at,
            run: self
                .triggered_run(row, (cause, trigger), Overrides::default())
                .await?,
            place: (&row.definition).into(),
        })
    }

    /// Makes a run of a task that a trigger starts.
    pub(in super::super) async fn triggered_run(
        &self,
        row: &TaskRow,
        (cause, trigger): (String, Trigger),
        overrides: Overrides,
    ) -> Result<NewRun, AppError> {
        let mut row = row.clone();
        override_with(&mut row.definition, overrides);
        let occasion = Occasion {
            triggered_by: trigger.kind.as_str().to_owned(),
            ..Occasion::default()
        };
        let (request, secrets) = self.occasional_request(&row, occasion).await?;
        let run = self.new_run(&request, &secrets, cause)?;
        Ok(NewRun {
            trigger: Some(trigger),
            ..run
        })
    }
}

/// A timer that the task does not have any more.
fn gone(timer: Timer, now: DateTime<Utc>) -> Prepared {
    let reason = "the task has no such timer any more, or it is disabled".to_owned();
    Prepared::Fire(Box::new(Firing {
        passed: Some((timer.next_at, reason)),
        timer,
        runs: Vec::new(),
        next: None,
        decided_at: now,
    }))
}
