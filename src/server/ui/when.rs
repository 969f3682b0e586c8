//! Times and durations as people read them; scripts keep those that grow true.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};

/// A duration in at most two units.
pub(super) fn duration(time: TimeDelta) -> String {
    let millis = time.num_milliseconds().max(0);
    let seconds = millis / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        0 => format!("{millis} ms"),
        1..=9 => format!("{}.{} s", seconds, millis % 1000 / 100),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{minutes} m {:02} s", seconds % 60),
        3600..=86_399 => format!("{hours} h {minutes:02} m"),
        _ => format!("{days} d {hours:02} h"),
    }
}

/// How long something took, or takes by now.
pub(super) fn elapsed(
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Markup {
    match (start, end) {
        (Some(start), Some(end)) => html! { span class="time" { (duration(end - start)) } },
        (Some(start), None) => html! {
            span class="time" data-since=(start.timestamp_millis()) { (duration(now - start)) }
        },
        (None, _) => html! { span class="time dim" { "–" } },
    }
}

/// How long ago a moment was; the moment itself stands behind it.
pub(super) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    let exact = exact(at);
    html! {
        time datetime=(exact) title=(exact) data-ago=(at.timestamp_millis()) { (duration(rounded(now - at))) " ago" }
    }
}

/// A moment to the second.
pub(super) fn exact(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time of the day; the whole moment stands behind it.
pub(super) fn clock(at: DateTime<Utc>) -> Markup {
    let exact = exact(at);
    html! { time datetime=(exact) title=(exact) { (at.format("%H:%M:%S")) } }
}

/// Whole units: nobody asks for tenths of what is long ago.
fn rounded(time: TimeDelta) -> TimeDelta {
    TimeDelta::seconds(time.num_seconds().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_at_most_two_units() {
        for (millis, said) in [
            (-5, "0 ms"),
            (640, "640 ms"),
            (9_940, "9.9 s"),
            (59_999, "59 s"),
            (61_000, "1 m 01 s"),
            (3_600_000, "1 h 00 m"),
            (90_000_000, "1 d 01 h"),
        ] {
            assert_eq!(duration(TimeDelta::milliseconds(millis)), said);
        }
    }
}
