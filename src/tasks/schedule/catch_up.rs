//! Which of the times that have come are to start runs: the policy after downtime.

use chrono::{DateTime, TimeDelta, Utc};

use super::Schedule;
use crate::tasks::CatchUp;

/// An occurrence that is no later than this was not missed: servers restart, and queues of timers take a moment.
const LATE: TimeDelta = TimeDelta::minutes(5);
/// The most runs that one timer catches up with.
const MOST: usize = 25;
/// How far back to look for the last times; each is tried when the one before shows too few.
const LOOKS: [TimeDelta; 5] = [
    TimeDelta::hours(1),
    TimeDelta::days(2),
    TimeDelta::days(64),
    TimeDelta::days(1100),
    TimeDelta::days(40_000),
];

/// What a timer whose time has come is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The occurrences that each start a run, in order.
    pub start: Vec<DateTime<Utc>>,
    /// What is passed over, and why.
    pub missed: Option<Missed>,
    /// The next time; `None` if there is none.
    pub next: Option<DateTime<Utc>>,
}

/// Occurrences that start nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The first of them.
    pub first: DateTime<Utc>,
    /// Why, in words.
    pub reason: String,
}

/// Decides about a timer whose occurrence `first` has come, and maybe others since.
pub fn due(schedule: &Schedule, first: DateTime<Utc>, now: DateTime<Utc>, policy: CatchUp) -> Due {
    let mut start = last_times(schedule, first, now);
    let last = start.last().copied();
    start.retain(|time| {
        let is_on_time = now - *time <= LATE;
        match policy {
            CatchUp::Skip => is_on_time,
            CatchUp::Latest => is_on_time || last == Some(*time),
            CatchUp::All => true,
        }
    });
    let missed = (start.first() != Some(&first)).then(|| Missed {
        first,
        reason: missed(start.first(), now, policy),
    });
    Due {
        start,
        missed,
        next: schedule.next_after(now),
    }
}

fn missed(kept: Option<&DateTime<Utc>>, now: DateTime<Utc>, policy: CatchUp) -> String {
    match kept {
        Some(kept) if policy == CatchUp::All => {
            format!("missed, as all times before {kept}: {MOST} runs at most are caught up with")
        }
        Some(kept) => format!("missed, as all times before {kept}: catch_up is {policy}"),
        None => format!("missed, as all times up to {now}: catch_up is {policy}"),
    }
}

/// The last times from `first` to `now`, in order.
fn last_times(schedule: &Schedule, first: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let before_first = first - TimeDelta::seconds(1);
    for look in LOOKS {
        let from = (now - look).max(before_first);
        let mut times: Vec<_> = schedule.after(from).take_while(|it| *it <= now).collect();
        if times.len() >= MOST || from == before_first {
            return times.split_off(times.len().saturating_sub(MOST));
        }
    }
    Vec::new()
}
