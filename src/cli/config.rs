//! `careen config`: shows the settings.

use std::process::ExitCode;

use serde_json::{Map, json};

use super::{CliError, Context};

/// What to do with settings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show each setting with its value and where it comes from
    Show,
}

/// Shows the settings.
pub fn run(context: &Context, command: &Command) -> Result<ExitCode, CliError> {
    let Command::Show = command;
    let rows = context.settings.list();
    if context.globals.json {
        let map: Map<_, _> = rows
            .into_iter()
            .map(|(name, value, origin)| {
                (name.to_owned(), json!({ "value": value, "origin": origin }))
            })
            .collect();
        context.print_json(&map.into());
    } else {
        for (name, value, origin) in rows {
            anstream::println!("{name:12} {value:40} {origin}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
