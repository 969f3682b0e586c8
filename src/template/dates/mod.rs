//! Points in time with Go's layouts, zones and durations.
pub mod duration;
mod format;
mod layout;
mod parse;
mod zone;

pub use parse::parse;
pub use zone::Zone;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use std::fmt;

/// Is a point in time as seen in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The point in time.
    pub instant: DateTime<Utc>,
    /// Where it is seen from.
    pub zone: Zone,
}

impl Moment {
    /// Places a point in time in UTC.
    pub fn utc(instant: DateTime<Utc>) -> Self {
        Moment {
            instant,
            zone: Zone::Utc,
        }
    }

    /// Counts from the Unix epoch; `None` for years that no calendar reaches.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).map(Moment::utc)
    }

    /// Is Go's zero time: the first second of the year 1.
    pub fn zero() -> Self {
        Moment::from_unix(-62_135_596_800).unwrap_or_else(|| Moment::utc(DateTime::UNIX_EPOCH))
    }

    /// Sees the same point in time from another zone.
    pub fn in_zone(&self, zone: Zone) -> Self {
        Moment {
            instant: self.instant,
            zone,
        }
    }

    /// Moves by nanoseconds, forward or back.
    pub fn plus(&self, nanoseconds: i64) -> Option<Self> {
        let instant = self
            .instant
            .checked_add_signed(TimeDelta::nanoseconds(nanoseconds))?;
        Some(Moment {
            instant,
            zone: self.zone.clone(),
        })
    }

    /// Counts the nanoseconds since another point in time, as far as a duration reaches.
    pub fn since(&self, earlier: &Moment) -> i64 {
        let distance = self.instant - earlier.instant;
        let far = if distance < TimeDelta::zero() {
            i64::MIN
        } else {
            i64::MAX
        };
        distance.num_nanoseconds().unwrap_or(far)
    }

    /// Formats by a Go layout.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        format::format(self, layout)
    }

    /// Formats as JSON does.
    pub fn rfc3339(&self) -> String {
        if self.zone == Zone::Utc {
            return self.instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        }
        String::from_utf8_lossy(&self.format(b"2006-01-02T15:04:05.999999999Z07:00")).into_owned()
    }

    /// Writes the Go expression that makes it.
    pub fn go_syntax(&self) -> String {
        let local = self.zone.local(&self.instant);
        let month = duration::month_name(i64::from(local.month()));
        let clock = local.format("%-H, %-M, %-S");
        let nanoseconds = self.instant.timestamp_subsec_nanos();
        format!(
            "time.Date({}, time.{month}, {}, {clock}, {nanoseconds}, time.UTC)",
            local.year(),
            local.day()
        )
    }
}

impl fmt::Display for Moment {
    /// Writes a time the way Go prints it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.format(b"2006-01-02 15:04:05.999999999 -0700 MST");
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}
