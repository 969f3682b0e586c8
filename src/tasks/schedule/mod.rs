//! When a timer fires: five cron fields in UTC or in a time zone, and what happens to times that were missed.

mod catch_up;
mod cron;
#[cfg(test)]
mod tests;
mod words;

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

pub use catch_up::{Due, Missed, due};
pub use cron::ScheduleError;
pub use words::in_words;

use super::TimerTrigger;

/// Clocks are set back by less than this.
const SET_BACK: TimeDelta = TimeDelta::hours(3);
/// Minutes that a clock jumps forward at most: once, a whole day was left out.
const LONGEST_GAP_MINUTES: i64 = 25 * 60;
/// Any time to look for a schedule's first one from: a schedule that does not fire in the years after it never does.
const FAR_BACK: DateTime<Utc> = DateTime::from_timestamp_nanos(1_700_000_000_000_000_000);

/// When a timer fires.
#[derive(Debug, Clone)]
pub struct Schedule {
    fields: ::cron::Schedule,
    zone: Option<Tz>,
}

impl Schedule {
    /// Reads a schedule and checks that it fires at all.
    pub fn read(text: &str, zone: Option<&str>) -> Result<Schedule, ScheduleError> {
        let unknown = |name: &str| ScheduleError::TimeZone(name.to_owned());
        let zone = zone.map(|name| name.parse::<Tz>().map_err(|_| unknown(name)));
        let schedule = Schedule {
            fields: cron::read(text)?,
            zone: zone.transpose()?,
        };
        match schedule.fields.after(&FAR_BACK).next() {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never(text.to_owned())),
        }
    }

    /// Reads what a trigger says.
    pub fn of(trigger: &TimerTrigger) -> Result<Schedule, ScheduleError> {
        Schedule::read(&trigger.schedule, trigger.time_zone.as_deref())
    }

    /// The first time after another; `None` past the year 2100.
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.after(time).next()
    }

    /// All times after another.
    ///
    /// In a time zone the fields are about its clock on the wall. A time that the clock jumps over fires at the first
    /// minute after the jump; one that comes twice fires the first time only.
    pub fn after(&self, time: DateTime<Utc>) -> Box<dyn Iterator<Item = DateTime<Utc>> + '_> {
        let Some(zone) = self.zone else {
            return Box::new(self.fields.after(&time));
        };
        let wall = time.with_timezone(&zone).naive_local().and_utc();
        let start = wall - SET_BACK;
        let mut last = time;
        let walls = self.fields.after_owned(start);
        Box::new(walls.filter_map(move |wall| {
            let real = on_the_wall(zone, wall.naive_utc())?;
            (real > last).then(|| {
                last = real;
                real
            })
        }))
    }

    /// The time zone that times are told in.
    pub fn zone(&self) -> Tz {
        self.zone.unwrap_or(Tz::UTC)
    }
}

/// When a clock shows a time: the first of two, and where it never does, the first minute after the jump.
fn on_the_wall(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    (0..=LONGEST_GAP_MINUTES).find_map(|minutes| {
        let wall = wall + Duration::minutes(minutes);
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
                Some(time.with_timezone(&Utc))
            }
            LocalResult::None => None,
        }
    })
}

/// How long after its time an occurrence is due: the same on every machine, spread evenly over the timer's jitter.
pub fn jitter(task: &str, trigger: &TimerTrigger, time: DateTime<Utc>) -> TimeDelta {
    let hash = Sha256::digest(format!("{task}\0{}\0{}", trigger.name, time.timestamp()));
    let draw = hash[..8]
        .iter()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let seconds = draw % (u64::from(trigger.jitter_seconds) + 1);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(0))
}
