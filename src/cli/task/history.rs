//! `careen task history`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::super::{CliError, Context};
use crate::{ports::TaskVersion, tasks::diff};

/// Lists the versions of a task, newest first.
pub async fn run(context: &Context, name: &str) -> Result<ExitCode, CliError> {
    let versions = context.desk().await?.history(name).await?;
    if context.globals.json {
        context.print_json(&json!(versions));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["VERSION", "STORED", "BY", "WHAT"]);
    for (index, version) in versions.iter().enumerate() {
        table.add_row([
            version.version.to_string(),
            version.at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            version.by.replace(char::is_control, " "),
            what(version, versions.get(index + 1)),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}

/// What a version did: the fields it changed, for the most part.
fn what(version: &TaskVersion, before: Option<&TaskVersion>) -> String {
    let before = before.and_then(|it| it.definition.as_ref());
    match (before, &version.definition) {
        (_, None) => "deleted".to_owned(),
        (None, Some(_)) => "created".to_owned(),
        (Some(before), Some(after)) => {
            let fields: Vec<String> = diff(before, after).into_iter().map(|it| it.field).collect();
            format!("changed {}", fields.join(", "))
        }
    }
}
