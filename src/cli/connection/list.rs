//! `careen connection list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use super::{
    super::{CliError, Context},
    show::{source, to_json},
};
use crate::app::AppError;

/// Lists connections.
pub async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let all = app.credentials.connections.connections().await;
    let all = all.map_err(AppError::from)?;
    if context.globals.json {
        let rows: Vec<_> = all.iter().map(to_json).collect();
        context.print_json(&rows.into());
        return Ok(ExitCode::SUCCESS);
    }
    if context.globals.quiet {
        all.iter().for_each(|it| anstream::println!("{}", it.name));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["NAME", "REGISTRY", "USER", "PASSWORD", "FOR", "CHANGED"]);
    for connection in &all {
        table.add_row([
            connection.name.clone(),
            connection.place(),
            connection.username.replace(char::is_control, " "),
            source(connection).to_owned(),
            rights(connection.pull_only).to_owned(),
            connection
                .updated_at
                .format("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}

fn rights(pull_only: bool) -> &'static str {
    if pull_only { "pull" } else { "pull, push" }
}
