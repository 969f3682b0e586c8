//! Timers: kept in step with what tasks say, and fired when their time has come.

mod firing;
mod runs;

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::{App, AppError};
use crate::{
    ports::{NewTimer, TaskFilter, TaskRow},
    tasks::{
        Definition, Status, TimerTrigger,
        schedule::{Schedule, jitter},
    },
};

/// How often timers are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// After so many looks timers are compared with all tasks: what a change of a task could not say is found then.
const LOOKS_PER_COMPARISON: u32 = 1200;
/// Tasks read at once when all are compared.
const PAGE: u32 = 500;

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
