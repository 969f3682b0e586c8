//! `careen task list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::super::{CliError, Context};
use crate::{
    ports::{TaskFilter, TaskRow},
    tasks::Status,
};

/// The options of `careen task list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only tasks whose name contains this
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// At most so many; 0 is no limit
    #[arg(long, default_value_t = 0)]
    top: u32,
}

/// Lists tasks by name.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let filter = TaskFilter {
        after: None,
        contains: args.contains,
        limit: args.top,
    };
    let rows = context.desk().await?.list(&filter).await?;
    if context.globals.json {
        context.print_json(&json!(rows));
    } else if context.globals.quiet {
        rows.iter()
            .for_each(|row| anstream::println!("{}", row.definition.name));
    } else {
        anstream::println!("{}", table(&rows).trim_fmt());
    }
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[TaskRow]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "NAME",
        "PLATFORM",
        "STATUS",
        "SOURCE REPOSITORY",
        "TRIGGERS",
        "VERSION",
    ]);
    for row in rows {
        let task = &row.definition;
        let source = task.triggers.source.first().map(|it| it.repository.clone());
        let status = match task.status {
            Status::Enabled => "enabled",
            Status::Disabled => "disabled",
        };
        table.add_row([
            task.name.clone(),
            task.platform.clone().unwrap_or_default(),
            status.to_owned(),
            source.unwrap_or_default().replace(char::is_control, " "),
            task.triggers.kinds().join(", "),
            row.version.to_string(),
        ]);
    }
    table
}
