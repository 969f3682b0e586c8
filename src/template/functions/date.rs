//! Dates: now, formatting, parsing, moving.
use super::Context;
use super::context::text_of;
use super::signature::{Function, Parameter};
use crate::template::dates::{Moment, Zone, duration, parse};
use crate::template::value::{Value, runes};

const TEXT_ANY_TEXT: &[Parameter] = &[Parameter::Text, Parameter::Any, Parameter::Text];
const MOVE: &[Parameter] = &[Parameter::Text, Parameter::Time];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("now", &[], |context, _| Ok(time(Moment::utc(context.now)))),
    Function::new(
        "date",
        &[Parameter::Text, Parameter::Any],
        |context, values| format(context, text_of(values, 0), &values[1], b"Local"),
    ),
    Function::new("dateInZone", TEXT_ANY_TEXT, in_zone),
    Function::new("date_in_zone", TEXT_ANY_TEXT, in_zone),
    Function::new("htmlDate", &[Parameter::Any], |context, values| {
        format(context, b"2006-01-02", &values[0], b"Local")
    }),
    Function::new(
        "htmlDateInZone",
        &[Parameter::Any, Parameter::Text],
        |context, values| format(context, b"2006-01-02", &values[0], text_of(values, 1)),
    ),
    Function::new("dateModify", MOVE, modify),
    Function::new("date_modify", MOVE, modify),
    Function::new("ago", &[Parameter::Any], |context, values| {
        let since = Moment::utc(context.now).since(&moment(context, &values[0])?);
        context.text(duration::format(duration::round_to_seconds(since)))
    }),
    Function::new(
        "toDate",
        &[Parameter::Text, Parameter::Text],
        |context, values| {
            context.budget.spend(text_of(values, 0).len() as u64)?;
            Ok(time(
                parse(text_of(values, 0), text_of(values, 1)).unwrap_or_else(Moment::zero),
            ))
        },
    ),
    Function::new("unixEpoch", &[Parameter::Time], |context, values| {
        let moment = moment(context, &values[0])?;
        context.text(moment.instant.timestamp().to_string())
    }),
];

fn time(moment: Moment) -> Value {
    Value::Time(Box::new(moment))
}

/// Reads a value as a time: one it is, or `int` and `int64` seconds; anything else is now.
fn moment(context: &Context, value: &Value) -> Result<Moment, String> {
    match value {
        Value::Time(moment) => Ok((**moment).clone()),
        Value::Int(kind, seconds) if kind.type_name() == kind.kind_name() => {
            Moment::from_unix(*seconds)
                .ok_or_else(|| format!("{seconds} seconds are beyond the calendar"))
        }
        _ => Ok(Moment::utc(context.now)),
    }
}

fn in_zone(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    format(context, text_of(values, 0), &values[1], text_of(values, 2))
}

fn format(
    context: &mut Context,
    layout: &[u8],
    value: &Value,
    zone: &[u8],
) -> Result<Value, String> {
    context.budget.spend(layout.len() as u64)?;
    context.budget.fits(layout.len().saturating_mul(10))?;
    let moment = moment(context, value)?.in_zone(Zone::named(&runes::to_string(zone)));
    context.text(moment.format(layout))
}

/// Moves a time by a duration; what is no duration moves nothing.
fn modify(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let before = moment(context, &values[1])?;
    match duration::parse(&runes::to_string(text_of(values, 0))) {
        Some(distance) => before
            .plus(distance)
            .map(time)
            .ok_or_else(|| "the time is beyond the calendar".into()),
        None => Ok(time(before)),
    }
}
