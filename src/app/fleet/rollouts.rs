//! Rollouts as people see them: begun, looked at, paused, resumed, canceled.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{App, AppError, ids},
    Gathered,
};
use crate::{
    fleet::{Fleet, Id, Progress, RolloutState},
    ports::{RolloutRow, RolloutSchedule},
    tasks::schedule::Schedule,
};

/// How many tasks that are left are told of each rollout of a list.
pub(super) const LEFT_LISTED: usize = 20;
/// How often a change is tried that others come in the way of.
const TRIES: usize = 20;

/// What is to be brought up to date, and within which limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutWish {
    /// The images, or tasks that make them, whose move is followed; none for everything that is stale.
    pub bases: Vec<String>,
    /// How many builds may be under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// The task that must succeed, with all it stands on, before another is begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
    /// Whether what failed before is tried again.
    pub retry: bool,
    /// When it begins, again and again: minute, hour, day, month and weekday; at once and only once without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The time zone of the schedule; UTC unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// A rollout with how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutView {
    /// What it is.
    #[serde(flatten)]
    pub rollout: RolloutRow,
    /// How its tasks stand, counted.
    pub progress: Progress,
    /// Its tasks that are not what they should be, and why, bases first; in lists the first of them.
    pub left: Vec<LeftTask>,
}

/// A task that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftTask {
    /// The task.
    pub task: String,
    /// The word for how it stands.
    pub state: String,
    /// Since when it is stale.
    pub since: Option<DateTime<Utc>>,
    /// What is in the way, in words.
    pub still: String,
}

/// What a person can do with a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutChange {
    /// Begin nothing more until someone says so.
    Pause,
    /// Go on; with `retry` what failed is tried again.
    Resume {
        /// Whether what failed is tried again.
        retry: bool,
    },
    /// Begin nothing more; what is under way ends by itself.
    Cancel,
}

impl App {
    /// Begins a rollout in someone's name; whoever has the duty drives it.
    pub async fn begin_rollout(
        &self,
        wish: &RolloutWish,
        by: &str,
    ) -> Result<RolloutRow, AppError> {
        self.learn_tasks().await?;
        let gathered = self.known_fleet().await?;
        if let Some(canary) = &wish.canary {
            gathered.find(canary)?;
        }
        let now = self.ports.clock.now();
        let schedule = wish.schedule.as_deref();
        let zone = wish.time_zone.as_deref();
        let row = RolloutRow {
            id: ids::draw_long(now),
            tasks: names(&gathered, gathered.affected(&wish.bases)?),
            bases: complete(&gathered, &wish.bases)?,
            max_parallel: wish.max_parallel.map(|it| it.max(1)),
            canary: wish.canary.clone(),
            state: match schedule {
                Some(_) => RolloutState::Scheduled,
                None => RolloutState::Running,
            },
            epoch: u32::from(wish.retry),
            by: by.to_owned(),
            schedule: schedule.map(|it| next(it, zone, now)).transpose()?,
            begun_by: None,
            created_at: now,
            ended_at: None,
            reason: None,
            version: 0,
        };
        if wish.retry && schedule.is_none() {
            self.try_again(&row.rollout()).await?;
        }
        self.fleet.store.put_rollout(&row).await?;
        self.rollout(&row.id).await
    }

    /// Reads a rollout.
    pub async fn rollout(&self, id: &str) -> Result<RolloutRow, AppError> {
        let found = self.fleet.store.rollout(id).await?;
        found.ok_or_else(|| {
            AppError::usage(
                format!("there is no rollout {id}"),
                "careen fleet rollouts list shows them",
            )
        })
    }

    /// Lets a rollout rest, go on, or end.
    pub async fn change_rollout(
        &self,
        id: &str,
        change: RolloutChange,
        by: &str,
    ) -> Result<RolloutRow, AppError> {
        for _ in 0..TRIES {
            let mut row = self.rollout(id).await?;
            self.changed(&mut row, change, by)?;
            if self.fleet.store.put_rollout(&row).await? {
                if matches!(change, RolloutChange::Resume { retry: true }) {
                    self.try_again(&row.rollout()).await?;
                }
                return self.rollout(id).await;
            }
        }
        Err(AppError::usage(
            format!("rollout {id} changes all the time"),
            "Try again",
        ))
    }

    fn changed(
        &self,
        row: &mut RolloutRow,
        change: RolloutChange,
        by: &str,
    ) -> Result<(), AppError> {
        let is_resumed_done = row.state == RolloutState::Done
            && matches!(change, RolloutChange::Resume { retry: true })
            && row.schedule.is_none();
        if row.state.is_over() && !is_resumed_done {
            return Err(AppError::usage(
                format!("rollout {} is {}", row.id, row.state.as_str()),
                "careen fleet patch begins another",
            ));
        }
        let now = self.ports.clock.now();
        row.ended_at = None;
        match change {
            RolloutChange::Pause => row.state = RolloutState::Paused,
            RolloutChange::Resume { retry } => {
                row.epoch += u32::from(retry);
                row.state = match &mut row.schedule {
                    Some(schedule) => {
                        let zone = schedule.time_zone.clone();
                        *schedule = next(&schedule.cron, zone.as_deref(), now)?;
                        RolloutState::Scheduled
                    }
                    None => RolloutState::Running,
                };
            }
            RolloutChange::Cancel => {
                row.state = RolloutState::Canceled;
                row.ended_at = Some(now);
            }
        }
        let word = match change {
            RolloutChange::Pause => "paused",
            RolloutChange::Resume { .. } => "resumed",
            RolloutChange::Cancel => "canceled",
        };
        row.reason = Some(format!("{word} by {by}"));
        Ok(())
    }

    /// Shows a rollout with how its tasks stand.
    pub async fn show_rollout(&self, id: &str) -> Result<RolloutView, AppError> {
        let gathered = self.known_fleet().await?;
        Ok(view(self.rollout(id).await?, &gathered.fleet, usize::MAX))
    }

    /// Lists rollouts with how their tasks stand, newest first.
    pub async fn list_rollouts(
        &self,
        only_open: bool,
        limit: u32,
    ) -> Result<Vec<RolloutView>, AppError> {
        let gathered = self.known_fleet().await?;
        let rows = self.fleet.store.rollouts(only_open, limit).await?;
        let views = rows
            .into_iter()
            .map(|row| view(row, &gathered.fleet, LEFT_LISTED));
        Ok(views.collect())
    }
}

/// Shows a rollout with how its tasks stand, and at most so many that are left.
pub(super) fn view(rollout: RolloutRow, fleet: &Fleet, most: usize) -> RolloutView {
    let progress = rollout.rollout().progress(fleet);
    let of_it = |id: &Id| rollout.tasks.contains(&fleet.graph().node(*id).name);
    let left = fleet.outdated().into_iter().filter(of_it).take(most);
    RolloutView {
        left: left.filter_map(|id| left_task(fleet, id)).collect(),
        progress,
        rollout,
    }
}

/// Says why a task is not what it should be; `None` if it is.
pub(super) fn left_task(fleet: &Fleet, id: Id) -> Option<LeftTask> {
    let standing = fleet.standing(id);
    Some(LeftTask {
        task: fleet.graph().node(id).name.clone(),
        state: standing.state.word().to_owned(),
        since: standing.stale.as_ref().and_then(|it| it.since),
        still: fleet.still(id)?,
    })
}

/// The names of these tasks.
pub(super) fn names(gathered: &Gathered, ids: Vec<Id>) -> BTreeSet<String> {
    let name = |id| gathered.fleet.graph().node(id).name.clone();
    ids.into_iter().map(name).collect()
}

/// The nodes that these words name, by their own names.
fn complete(gathered: &Gathered, words: &[String]) -> Result<Vec<String>, AppError> {
    let name = |id| gathered.fleet.graph().node(id).name.clone();
    words
        .iter()
        .map(|it| Ok(name(gathered.find(it)?)))
        .collect()
}

/// The next time of a schedule.
pub(super) fn next(
    cron: &str,
    zone: Option<&str>,
    after: DateTime<Utc>,
) -> Result<RolloutSchedule, AppError> {
    let wrong = |why: String| {
        AppError::usage(
            format!("the schedule {cron:?} cannot be: {why}"),
            "Write minute, hour, day, month and weekday, such as 0 3 * * 1",
        )
    };
    let read = Schedule::read(cron, zone).map_err(|error| wrong(error.to_string()))?;
    let next_at = read.next_after(after);
    Ok(RolloutSchedule {
        cron: cron.to_owned(),
        time_zone: zone.map(str::to_owned),
        next_at: next_at.ok_or_else(|| wrong("it never comes".to_owned()))?,
    })
}
