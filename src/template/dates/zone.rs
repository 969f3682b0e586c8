//! Time zones by name or by offset.
use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{OffsetName, Tz};

/// Is where a point in time is seen from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time; local time is this too, so that results do not depend on the machine.
    Utc,
    /// A zone of the time zone database.
    Named(Tz),
    /// An offset in seconds east of UTC, with its name if it has one.
    Fixed(i32, String),
}

impl Zone {
    /// Finds a zone by the name in the time zone database; an unknown one is UTC.
    pub fn named(name: &str) -> Self {
        match name {
            "" | "UTC" | "Local" => Zone::Utc,
            name => name.parse().map_or(Zone::Utc, Zone::Named),
        }
    }

    /// Answers the offset in seconds east of UTC, and the zone's abbreviation then.
    pub fn at(&self, instant: &DateTime<Utc>) -> (i32, String) {
        match self {
            Zone::Utc => (0, "UTC".into()),
            Zone::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&instant.naive_utc());
                let seconds = offset.fix().local_minus_utc();
                (
                    seconds,
                    offset
                        .abbreviation()
                        .map_or_else(|| numeric_name(seconds), str::to_owned),
                )
            }
            Zone::Fixed(seconds, name) => (*seconds, name.clone()),
        }
    }

    /// Answers what clocks and calendars in the zone show.
    pub fn local(&self, instant: &DateTime<Utc>) -> NaiveDateTime {
        let offset = FixedOffset::east_opt(self.at(instant).0);
        offset.map_or(instant.naive_utc(), |offset| {
            instant.with_timezone(&offset).naive_local()
        })
    }
}

/// Names an offset as the time zone database does for zones without an abbreviation.
fn numeric_name(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    match minutes % 60 {
        0 => format!("{sign}{:02}", minutes / 60),
        rest => format!("{sign}{:02}{rest:02}", minutes / 60),
    }
}
