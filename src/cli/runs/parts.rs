//! How builds went, part by part.

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::Value;

use super::super::live::duration;
use crate::ports::StepRow;

/// Prints the parts of each build that are recorded, in the order of their starts.
pub fn print(steps: &[StepRow]) {
    for step in steps {
        let parts = step.images[0]["parts"].as_array();
        let Some(parts) = parts.filter(|parts| !parts.is_empty()) else {
            continue;
        };
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for part in parts {
            table.add_row(row(part));
        }
        anstream::println!(
            "\nparts of {}:\n{}",
            step.id.replace(char::is_control, " "),
            table.trim_fmt()
        );
    }
}

fn row(part: &Value) -> [Cell; 4] {
    let time = part["milliseconds"].as_i64().map(duration);
    let error = part["error"].as_str();
    let word = match (error, part["cached"].as_bool()) {
        (Some(_), _) => "failed",
        (None, Some(true)) => "cached",
        (None, _) if time.is_none() => "cut off",
        (None, _) => "done",
    };
    let name = part["name"].as_str().unwrap_or_default();
    [
        Cell::new(format!("#{}", part["number"])),
        Cell::new(time.unwrap_or_default()).set_alignment(CellAlignment::Right),
        Cell::new(word),
        Cell::new(name.replace(char::is_control, " ")),
    ]
}
