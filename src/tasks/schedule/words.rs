//! A coming time as people say it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Says when something happens: the day, the clock time, the zone, and how long that is from now.
pub fn in_words(time: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let local = time.with_timezone(&zone);
    let today = now.with_timezone(&zone).date_naive();
    let day = match (local.date_naive() - today).num_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => local.format("%A %-d %B %Y").to_string(),
    };
    let clock = local.format("%H:%M");
    let minutes = (time - now).num_minutes();
    format!(
        "{day} at {clock} {}, {}",
        zone_words(zone),
        distance(minutes)
    )
}

fn zone_words(zone: Tz) -> &'static str {
    zone.name()
}

fn distance(minutes: i64) -> String {
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts = [(days, "day"), (hours, "hour"), (rest, "minute")];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    match said.is_empty() {
        true => "in less than a minute".to_owned(),
        false => format!("in {}", said.join(" ")),
    }
}
