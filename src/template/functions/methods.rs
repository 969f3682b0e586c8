//! The methods that times, versions and lengths of time have in a template.
use super::Context;
use super::context::{int_of, text_of};
use super::signature::{Function, Parameter};
use crate::template::dates::{Moment, Zone, duration};
use crate::template::semver::{Step, Version};
use crate::template::value::{IntKind, Value, runes};
use chrono::{Datelike, Months, NaiveDateTime, TimeDelta, Timelike};
use std::cmp::Ordering;
use std::rc::Rc;

/// Finds a method; the receiver is its first argument.
pub fn method(receiver: &Value, name: &str) -> Option<&'static Function> {
    let methods = match receiver {
        Value::Time(_) => TIME,
        Value::Version(_) => VERSION,
        // Go cannot take the address of a bare struct, so only methods on the value itself are there.
        Value::BareVersion(_) => &VERSION[..VALUE_METHODS],
        Value::Int(IntKind::Duration, _) => DURATION,
        Value::Int(IntKind::Month | IntKind::Weekday, _) => &DURATION[..1],
        _ => return None,
    };
    methods.iter().find(|method| method.name == name)
}

const VALUE_METHODS: usize = 5;

const VERSION: &[Function] = &[
    Function::new("IncMajor", &[], |_, values| step(values, Step::Major)),
    Function::new("IncMinor", &[], |_, values| step(values, Step::Minor)),
    Function::new("IncPatch", &[], |_, values| step(values, Step::Patch)),
    Function::new("SetPrerelease", &[Parameter::Text], |_, values| {
        Ok(Value::BareVersion(Rc::new(version(values, 0)?.with(
            Some(&runes::to_string(text_of(values, 1))),
            None,
        )?)))
    }),
    Function::new("SetMetadata", &[Parameter::Text], |_, values| {
        Ok(Value::BareVersion(Rc::new(version(values, 0)?.with(
            None,
            Some(&runes::to_string(text_of(values, 1))),
        )?)))
    }),
    Function::new("Major", &[], |_, values| {
        Ok(Value::int64(version(values, 0)?.major))
    }),
    Function::new("Minor", &[], |_, values| {
        Ok(Value::int64(version(values, 0)?.minor))
    }),
    Function::new("Patch", &[], |_, values| {
        Ok(Value::int64(version(values, 0)?.patch))
    }),
    Function::new("Prerelease", &[], |_, values| {
        Ok(Value::text(&version(values, 0)?.prerelease))
    }),
    Function::new("Metadata", &[], |_, values| {
        Ok(Value::text(&version(values, 0)?.metadata))
    }),
    Function::new("Original", &[], |_, values| {
        Ok(Value::text(&version(values, 0)?.original))
    }),
    Function::new("String", &[], |_, values| {
        Ok(Value::from(version(values, 0)?.to_string()))
    }),
    Function::new("Compare", &[Parameter::Version], |_, values| {
        Ok(Value::int(order(values)? as i64))
    }),
    Function::new("Equal", &[Parameter::Version], |_, values| {
        Ok(Value::Bool(order(values)? == Ordering::Equal))
    }),
    Function::new("LessThan", &[Parameter::Version], |_, values| {
        Ok(Value::Bool(order(values)? == Ordering::Less))
    }),
    Function::new("GreaterThan", &[Parameter::Version], |_, values| {
        Ok(Value::Bool(order(values)? == Ordering::Greater))
    }),
];

fn version(values: &[Value], index: usize) -> Result<&Version, String> {
    match values.get(index) {
        Some(Value::Version(version) | Value::BareVersion(version)) => Ok(version),
        _ => Err("this is no version".into()),
    }
}

fn step(values: &[Value], step: Step) -> Result<Value, String> {
    Ok(Value::BareVersion(Rc::new(version(values, 0)?.next(step))))
}

fn order(values: &[Value]) -> Result<Ordering, String> {
    Ok(version(values, 0)?.order(version(values, 1)?))
}

const TIME: &[Function] = &[
    Function::new("Format", &[Parameter::Text], |context, values| {
        context.budget.spend(text_of(values, 1).len() as u64)?;
        context.text(moment(values, 0)?.format(text_of(values, 1)))
    }),
    Function::new("String", &[], |_, values| {
        Ok(Value::from(moment(values, 0)?.to_string()))
    }),
    Function::new("Year", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.year())))
    }),
    Function::new("Month", &[], |_, values| {
        local(values).map(|local| Value::Int(IntKind::Month, i64::from(local.month())))
    }),
    Function::new("Day", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.day())))
    }),
    Function::new("YearDay", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.ordinal())))
    }),
    Function::new("Weekday", &[], |_, values| {
        local(values).map(|local| {
            Value::Int(
                IntKind::Weekday,
                i64::from(local.weekday().num_days_from_sunday()),
            )
        })
    }),
    Function::new("Hour", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.hour())))
    }),
    Function::new("Minute", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.minute())))
    }),
    Function::new("Second", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.second())))
    }),
    Function::new("Nanosecond", &[], |_, values| {
        local(values).map(|local| Value::int(i64::from(local.nanosecond())))
    }),
    Function::new("Unix", &[], |_, values| {
        Ok(Value::int64(moment(values, 0)?.instant.timestamp()))
    }),
    Function::new("UnixMilli", &[], |_, values| {
        Ok(Value::int64(moment(values, 0)?.instant.timestamp_millis()))
    }),
    Function::new("UnixNano", &[], |_, values| {
        let nanoseconds = moment(values, 0)?.instant.timestamp_nanos_opt();
        nanoseconds
            .map(Value::int64)
            .ok_or_else(|| "the time is too far from 1970".into())
    }),
    Function::new("IsZero", &[], |_, values| {
        Ok(Value::Bool(
            moment(values, 0)?.instant == Moment::zero().instant,
        ))
    }),
    Function::new("UTC", &[], |_, values| {
        Ok(time(moment(values, 0)?.in_zone(Zone::Utc)))
    }),
    Function::new("Local", &[], |_, values| {
        Ok(time(moment(values, 0)?.in_zone(Zone::Utc)))
    }),
    Function::new("Add", &[Parameter::Duration], |_, values| {
        moment(values, 0)?
            .plus(int_of(values, 1))
            .map(time)
            .ok_or_else(beyond)
    }),
    Function::new(
        "AddDate",
        &[Parameter::Int, Parameter::Int, Parameter::Int],
        add_date,
    ),
    Function::new("Sub", &[Parameter::Time], |_, values| {
        Ok(Value::Int(
            IntKind::Duration,
            moment(values, 0)?.since(moment(values, 1)?),
        ))
    }),
    Function::new("Before", &[Parameter::Time], |_, values| {
        compare(values, Ordering::Less)
    }),
    Function::new("After", &[Parameter::Time], |_, values| {
        compare(values, Ordering::Greater)
    }),
    Function::new("Equal", &[Parameter::Time], |_, values| {
        compare(values, Ordering::Equal)
    }),
];

fn moment(values: &[Value], index: usize) -> Result<&Moment, String> {
    match values.get(index) {
        Some(Value::Time(moment)) => Ok(moment),
        _ => Err("this is no time".into()),
    }
}

fn local(values: &[Value]) -> Result<NaiveDateTime, String> {
    moment(values, 0).map(|moment| moment.zone.local(&moment.instant))
}

fn time(moment: Moment) -> Value {
    Value::Time(Box::new(moment))
}

fn beyond() -> String {
    "the time is beyond the calendar".into()
}

fn compare(values: &[Value], wanted: Ordering) -> Result<Value, String> {
    Ok(Value::Bool(
        moment(values, 0)?.instant.cmp(&moment(values, 1)?.instant) == wanted,
    ))
}

/// Adds years, months and days; days beyond a month's end run into the next.
fn add_date(_: &mut Context, values: &[Value]) -> Result<Value, String> {
    let before = moment(values, 0)?;
    let local = local(values)?;
    let months = int_of(values, 1)
        .saturating_mul(12)
        .saturating_add(int_of(values, 2));
    let first = local.with_day(1).ok_or_else(beyond)?;
    let count = Months::new(u32::try_from(months.unsigned_abs()).map_err(|_| beyond())?);
    let first = if months < 0 {
        first.checked_sub_months(count)
    } else {
        first.checked_add_months(count)
    };
    let days = i64::from(local.day() - 1).saturating_add(int_of(values, 3));
    let days = TimeDelta::try_days(days).ok_or_else(beyond)?;
    let moved = first
        .and_then(|first| first.checked_add_signed(days))
        .ok_or_else(beyond)?;
    let instant = before
        .instant
        .checked_add_signed(moved - local)
        .ok_or_else(beyond)?;
    Ok(time(Moment {
        instant,
        zone: before.zone.clone(),
    }))
}

const DURATION: &[Function] = &[
    Function::new("String", &[], |_, values| {
        let number = int_of(values, 0);
        Ok(Value::from(match values[0] {
            Value::Int(IntKind::Month, _) => duration::month_name(number),
            Value::Int(IntKind::Weekday, _) => duration::weekday_name(number),
            _ => duration::format(number),
        }))
    }),
    Function::new("Hours", &[], |_, values| {
        Ok(Value::Float(int_of(values, 0) as f64 / 3.6e12))
    }),
    Function::new("Minutes", &[], |_, values| {
        Ok(Value::Float(int_of(values, 0) as f64 / 6e10))
    }),
    Function::new("Seconds", &[], |_, values| {
        Ok(Value::Float(int_of(values, 0) as f64 / 1e9))
    }),
    Function::new("Milliseconds", &[], |_, values| {
        Ok(Value::int64(int_of(values, 0) / 1_000_000))
    }),
    Function::new("Nanoseconds", &[], |_, values| {
        Ok(Value::int64(int_of(values, 0)))
    }),
];
