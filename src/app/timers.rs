//! Timers: kept in step with what tasks say, and fired when their time has come.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{App, AppError, Overrides, ids, placing::placement};
use crate::{
    ports::{
        Enqueued, Firing, NewRun, NewTimer, TaskError, TaskFilter, TaskRow, TimedRun, Timer,
        Trigger, TriggerKind,
    },
    tasks::{
        Definition, Status, TimerTrigger,
        schedule::{Schedule, due, jitter},
    },
};

/// How many timers are claimed and moved at once.
const AT_ONCE: u32 = 250;
/// How many such lots are under way side by side.
const LANES: usize = 4;
/// How many runs of a lot are prepared side by side.
const PREPARED_AT_ONCE: usize = 8;
/// A claim lapses after this; then another server fires the timer.
const HOLD: TimeDelta = TimeDelta::seconds(60);
/// How long a timer whose run cannot be queued rests before the next try.
const REST: TimeDelta = TimeDelta::seconds(30);
/// How long it is tried before the occurrence is given up, said why.
const PATIENCE: TimeDelta = TimeDelta::minutes(30);
/// How often timers are looked at.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);
/// After so many looks timers are compared with all tasks: what a change of a task could not say is found then.
const LOOKS_PER_COMPARISON: u32 = 1200;
/// Tasks read at once when all are compared.
const PAGE: u32 = 500;

/// What is to become of a timer whose time has come.
enum Prepared {
    Fire(Box<Firing>),
    Postpone(Timer, String),
}

impl App {
    /// Brings a task's timers in step with what it says.
    pub(super) async fn keep_timers(&self, row: &TaskRow) -> Result<(), AppError> {
        let task = &row.definition;
        let now = self.ports.clock.now();
        let timers: Vec<NewTimer> = enabled(task)
            .filter_map(|trigger| new_timer(&task.name, trigger, now))
            .collect();
        Ok(self
            .timers
            .put_timers(&task.name, row.version, &timers)
            .await?)
    }

    /// Takes the timers of a task away.
    pub(super) async fn forget_timers(&self, task: &str) -> Result<(), AppError> {
        Ok(self.timers.put_timers(task, u32::MAX, &[]).await?)
    }

    /// Compares timers with all tasks: a server may have died between the change of a task and that of its timers.
    pub async fn compare_timers(&self) -> Result<(), AppError> {
        let mut waiting = HashMap::<String, Vec<u32>>::new();
        for timer in self.timers.timers(None).await? {
            waiting.entry(timer.task).or_default().push(timer.version);
        }
        let mut filter = TaskFilter {
            limit: PAGE,
            ..TaskFilter::default()
        };
        loop {
            let rows = self.tasks.tasks(&filter).await?;
            for row in &rows {
                let versions = waiting.remove(&row.definition.name).unwrap_or_default();
                if !is_in_step(row, &versions) {
                    self.keep_timers(row).await?;
                }
            }
            match rows.last() {
                Some(last) => filter.after = Some(last.definition.name.clone()),
                None => break,
            }
        }
        for task in waiting.keys() {
            self.forget_timers(task).await?;
        }
        Ok(())
    }

    /// Queues the runs of all timers that are due and returns how many that were.
    pub async fn fire_timers(&self) -> Result<usize, AppError> {
        let lanes = join_all((0..LANES).map(|_| self.fire_lots())).await;
        lanes.into_iter().sum()
    }

    /// Fires timers until `stop`; any number of servers may do so.
    pub async fn tend_timers(self: Arc<Self>, stop: CancellationToken) {
        for look in 0_u32.. {
            let is_time_to_compare = look.is_multiple_of(LOOKS_PER_COMPARISON);
            if is_time_to_compare && let Err(error) = self.compare_timers().await {
                tracing::error!("timers cannot be compared with tasks: {error}");
            }
            if let Err(error) = self.fire_timers().await {
                tracing::error!("timers cannot be fired, and are tried again: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn fire_lots(&self) -> Result<usize, AppError> {
        let mut queued = 0;
        loop {
            let now = self.ports.clock.now();
            let claimed = self.timers.claim_timers(now, now + HOLD, AT_ONCE).await?;
            if claimed.is_empty() {
                return Ok(queued);
            }
            let prepared: Vec<Prepared> = stream::iter(claimed)
                .map(|timer| self.prepare_firing(timer, now))
                .buffer_unordered(PREPARED_AT_ONCE)
                .collect()
                .await;
            queued += self.fire_prepared(prepared, now).await?;
        }
    }

    async fn fire_prepared(
        &self,
        prepared: Vec<Prepared>,
        now: DateTime<Utc>,
    ) -> Result<usize, AppError> {
        let mut firings = Vec::with_capacity(prepared.len());
        for one in prepared {
            match one {
                Prepared::Fire(firing) => firings.push(*firing),
                Prepared::Postpone(timer, problem) => {
                    tracing::warn!(
                        timer.task,
                        timer.name,
                        "not queued, and tried again: {problem}"
                    );
                    let until = now + REST;
                    self.timers.postpone_timer(&timer, until, &problem).await?;
                }
            }
        }
        if firings.is_empty() {
            return Ok(0);
        }
        let answers = match self.timers.fire(&firings).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::warn!("{} timers did not fire together: {error}", firings.len());
                // One that cannot be must not hold up the others.
                self.fire_one_by_one(&firings).await?
            }
        };
        let queued = answers.iter().flatten().flatten();
        Ok(queued
            .filter(|it| !matches!(it, Enqueued::Known { .. }))
            .count())
    }

    async fn fire_one_by_one(
        &self,
        firings: &[Firing],
    ) -> Result<Vec<Option<Vec<Enqueued>>>, AppError> {
        let mut answers = Vec::with_capacity(firings.len());
        for firing in firings {
            match self.timers.fire(std::slice::from_ref(firing)).await {
                Ok(answer) => answers.extend(answer),
                Err(error) => {
                    let until = firing.decided_at + REST;
                    let problem = error.to_string();
                    self.timers
                        .postpone_timer(&firing.timer, until, &problem)
                        .await?;
                }
            }
        }
        Ok(answers)
    }

    async fn prepare_firing(&self, timer: Timer, now: DateTime<Utc>) -> Prepared {
        let row = match self.tasks.task(&timer.task).await {
            Ok(row) => row,
            Err(TaskError::NoSuchTask(_)) => return gone(timer, now),
            Err(error) => return Prepared::Postpone(timer, error.to_string()),
        };
        let task = &row.definition;
        let trigger = task.triggers.timer.iter().find(|it| it.name == timer.name);
        let trigger =
            trigger.filter(|it| (it.status, task.status) == (Status::Enabled, Status::Enabled));
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
                Err(error) if now - at < PATIENCE => {
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
        let trigger = Trigger {
            kind: TriggerKind::Timer,
            key: format!("timer/{task}/{name}/{}", at.format("%Y-%m-%dT%H:%MZ")),
            details: json!({ "timer": name, "occurrence": at }),
        };
        Ok(TimedRun {
            at,
            run: self
                .triggered_run(row, (cause, trigger), Overrides::default())
                .await?,
            place: placement(&row.definition),
        })
    }

    /// Makes a run of a task that a trigger starts.
    pub(super) async fn triggered_run(
        &self,
        row: &TaskRow,
        (cause, trigger): (String, Trigger),
        overrides: Overrides,
    ) -> Result<NewRun, AppError> {
        let (mut request, secrets) = self.task_request(row, overrides).await?;
        // Many runs begin in one second, too many for short ids.
        request.vars.id = ids::draw_long(self.ports.clock.now());
        request.vars.shared_volume = format!("acb_vol_{}", request.vars.id);
        trigger
            .kind
            .as_str()
            .clone_into(&mut request.vars.triggered_by);
        let run = self.new_run(&request, &secrets, cause)?;
        Ok(NewRun {
            trigger: Some(trigger),
            ..run
        })
    }
}

/// The timers of a task that may start runs.
fn enabled(task: &Definition) -> impl Iterator<Item = &TimerTrigger> {
    let timers = task.triggers.timer.iter();
    timers.filter(|it| (it.status, task.status) == (Status::Enabled, Status::Enabled))
}

/// Says whether the timers of these versions are those of the task as it stands.
fn is_in_step(row: &TaskRow, versions: &[u32]) -> bool {
    let is_of_now = versions.iter().all(|version| *version == row.version);
    is_of_now && versions.len() == enabled(&row.definition).count()
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

fn new_timer(task: &str, trigger: &TimerTrigger, now: DateTime<Utc>) -> Option<NewTimer> {
    let next_at = Schedule::of(trigger).ok()?.next_after(now)?;
    let zone = trigger.time_zone.as_deref().unwrap_or("UTC");
    Some(NewTimer {
        name: trigger.name.clone(),
        spec: format!("{} {zone} {}", trigger.schedule, trigger.jitter_seconds),
        next_at,
        due_at: next_at + jitter(task, trigger, next_at),
    })
}
