//! Go's `fmt`: `print`, `println` and `printf` over template values.
mod directive;
mod flags;
mod float;
mod integer;
mod printer;
mod quoted;
mod structure;
mod text;

pub use float::{FloatForm, format_float};
pub use quoted::quote;

use super::limits::Budget;
use super::value::Value;
use printer::Printer;

/// Prints values with `%v`, and a blank between two that are not strings.
pub fn sprint(values: &[Value], budget: &mut Budget) -> Result<Vec<u8>, String> {
    let mut printer = Printer::new(budget);
    let mut after_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_));
        if !is_text && !after_text {
            printer.out.push(b' ');
        }
        printer.argument(value, 'v')?;
        after_text = is_text;
    }
    Ok(printer.out)
}

/// Prints values with `%v`, blanks between them all and a newline at the end.
pub fn sprintln(values: &[Value], budget: &mut Budget) -> Result<Vec<u8>, String> {
    let mut printer = Printer::new(budget);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.out.push(b' ');
        }
        printer.argument(value, 'v')?;
    }
    printer.out.push(b'\n');
    Ok(printer.out)
}

/// Prints values as a format says.
pub fn sprintf(format: &[u8], values: &[Value], budget: &mut Budget) -> Result<Vec<u8>, String> {
    let mut printer = Printer::new(budget);
    directive::run(&mut printer, format, values)?;
    Ok(printer.out)
}

/// Turns one value into a string as sprig does: strings as they are, the rest with `%v`.
pub fn to_text(value: &Value, budget: &mut Budget) -> Result<Vec<u8>, String> {
    match value {
        Value::Text(text) => Ok(text.to_vec()),
        other => sprint(std::slice::from_ref(other), budget),
    }
}
