//! Runs of whole numbers: `until` and `untilStep`.
use super::Context;
use super::context::int_of;
use super::signature::{Function, Parameter};
use crate::template::value::{ElementKind, List, Value};

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("until", &[Parameter::Int], |context, values| {
        let stop = int_of(values, 0);
        steps(context, 0, stop, if stop < 0 { -1 } else { 1 })
    }),
    Function::new(
        "untilStep",
        &[Parameter::Int, Parameter::Int, Parameter::Int],
        |context, values| {
            steps(
                context,
                int_of(values, 0),
                int_of(values, 1),
                int_of(values, 2),
            )
        },
    ),
];

/// Counts from `start` until just before `stop`; a step that leads away from it gives nothing.
fn steps(context: &mut Context, start: i64, stop: i64, step: i64) -> Result<Value, String> {
    let distance = i128::from(stop) - i128::from(start);
    let step = i128::from(step);
    let count = if distance == 0 || step == 0 || (distance < 0) != (step < 0) {
        0
    } else {
        (distance.unsigned_abs()).div_ceil(step.unsigned_abs())
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    context.budget.allow_elements(count)?;
    let numbers =
        (0..count).map(|index| Value::int((i128::from(start) + step * index as i128) as i64));
    Ok(Value::List(List::new(ElementKind::Int, numbers.collect())))
}
