//! Writes a time by a layout.
use super::layout::{Element, next};
use super::{Moment, duration};
use chrono::{Datelike, NaiveDateTime, Timelike};

/// Writes each element of the layout, and what stands between them as it is.
pub(super) fn format(moment: &Moment, layout: &[u8]) -> Vec<u8> {
    let local = moment.zone.local(&moment.instant);
    let (offset, name) = moment.zone.at(&moment.instant);
    let mut written = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while let Some((before, element, after)) = next(rest) {
        written.extend_from_slice(before);
        let text = match element {
            Element::ZoneName if name.is_empty() => nameless(offset),
            Element::ZoneName => name.clone(),
            Element::Offset { zulu: true, .. } if offset == 0 => "Z".into(),
            Element::Offset {
                hours_only,
                colons,
                seconds,
                ..
            } => offset_text(offset, hours_only, colons, seconds),
            Element::Fraction { digits, fixed } => fraction(
                rest[before.len()],
                moment.instant.timestamp_subsec_nanos(),
                digits,
                fixed,
            ),
            other => field(&local, other),
        };
        written.extend_from_slice(text.as_bytes());
        rest = after;
    }
    written.extend_from_slice(rest);
    written
}

fn field(local: &NaiveDateTime, element: Element) -> String {
    let month = duration::month_name(i64::from(local.month()));
    let weekday = duration::weekday_name(i64::from(local.weekday().num_days_from_sunday()));
    let hour12 = local.hour12().1;
    match element {
        Element::LongMonth => month,
        Element::Month => month[..3].into(),
        Element::NumericMonth => local.month().to_string(),
        Element::ZeroMonth => format!("{:02}", local.month()),
        Element::LongWeekday => weekday,
        Element::Weekday => weekday[..3].into(),
        Element::Day => local.day().to_string(),
        Element::UnderDay => format!("{:2}", local.day()),
        Element::ZeroDay => format!("{:02}", local.day()),
        Element::UnderYearDay => format!("{:3}", local.ordinal()),
        Element::ZeroYearDay => format!("{:03}", local.ordinal()),
        Element::Hour => format!("{:02}", local.hour()),
        Element::Hour12 => hour12.to_string(),
        Element::ZeroHour12 => format!("{hour12:02}"),
        Element::Minute => local.minute().to_string(),
        Element::ZeroMinute => format!("{:02}", local.minute()),
        Element::Second => local.second().to_string(),
        Element::ZeroSecond => format!("{:02}", local.second()),
        Element::LongYear if local.year() < 0 => format!("-{:04}", local.year().unsigned_abs()),
        Element::LongYear => format!("{:04}", local.year()),
        Element::Year => format!("{:02}", local.year().rem_euclid(100)),
        Element::UpperHalf => if local.hour() < 12 { "AM" } else { "PM" }.into(),
        Element::LowerHalf => if local.hour() < 12 { "am" } else { "pm" }.into(),
        Element::ZoneName | Element::Offset { .. } | Element::Fraction { .. } => String::new(),
    }
}

fn offset_text(offset: i32, hours_only: bool, colons: bool, seconds: bool) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let total = offset.abs();
    let colon = if colons { ":" } else { "" };
    let mut text = format!("{sign}{:02}", total / 3600);
    if !hours_only {
        text.push_str(&format!("{colon}{:02}", total / 60 % 60));
    }
    if seconds {
        text.push_str(&format!("{colon}{:02}", total % 60));
    }
    text
}

fn nameless(offset: i32) -> String {
    offset_text(offset, false, false, false)
}

fn fraction(mark: u8, nanoseconds: u32, digits: usize, fixed: bool) -> String {
    let all = format!("{nanoseconds:09}");
    let mut kept: String = all.chars().take(digits).collect();
    kept.push_str(&"0".repeat(digits.saturating_sub(9)));
    let kept = if fixed {
        kept.as_str()
    } else {
        kept.trim_end_matches('0')
    };
    if kept.is_empty() {
        String::new()
    } else {
        format!("{}{kept}", char::from(mark))
    }
}
