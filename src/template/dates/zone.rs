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
                (
                    offset.fix().local_minus_utc(),
                    offset.abbreviation().unwrap_or_default().into(),
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
