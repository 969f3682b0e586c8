//! `careen task show`.

use std::process::ExitCode;

use serde_json::json;

use super::{
    super::{CliError, Context},
    NameArg,
};
use crate::{ports::TaskRow, tasks::write};

/// The options of `careen task show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameArg,
    /// Show this version instead of the present one
    #[arg(long, value_name = "N")]
    at: Option<u32>,
}

/// Shows a task as the manifest that would make it.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let desk = context.desk().await?;
    let Some(number) = args.at else {
        print(context, &desk.get(args.name.name()).await?);
        return Ok(ExitCode::SUCCESS);
    };
    let version = desk.version(args.name.name(), number).await?;
    match (&version.definition, context.globals.json) {
        (_, true) => context.print_json(&json!(version)),
        (Some(definition), _) => anstream::print!("{}", write(definition).unwrap_or_default()),
        (None, _) => anstream::println!("# the task was deleted"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a task as it is stored now.
pub(super) fn print(context: &Context, row: &TaskRow) {
    if context.globals.json {
        return context.print_json(&json!(row));
    }
    if context.globals.quiet {
        return anstream::println!("{}", row.definition.name);
    }
    let by = row.updated_by.replace(char::is_control, " ");
    let at = row.updated_at.format("%Y-%m-%dT%H:%M:%SZ");
    anstream::println!("# version {}, stored {at} by {by}", row.version);
    anstream::print!("{}", write(&row.definition).unwrap_or_default());
}
