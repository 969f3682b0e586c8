//! `careen token list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::super::{CliError, Context};
use crate::app::AppError;

/// Lists tokens, without their secrets.
pub async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let tokens = app.access.tokens().await.map_err(AppError::from)?;
    if context.globals.json {
        context.print_json(&json!(tokens));
        return Ok(ExitCode::SUCCESS);
    }
    let now = app.ports.clock.now();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "ID",
        "NAME",
        "ROLE",
        "CREDENTIALS",
        "STATE",
        "CREATED",
        "LAST USED",
    ]);
    let time = |it: chrono::DateTime<chrono::Utc>| it.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for token in &tokens {
        let state = match (token.is_good(now), token.revoked_at) {
            (true, _) => "good",
            (false, Some(_)) => "revoked",
            (false, None) => "expired",
        };
        table.add_row([
            token.id.clone(),
            token.name.clone(),
            token.role.as_str().to_owned(),
            token
                .credentials
                .as_ref()
                .map_or("all".to_owned(), ToString::to_string),
            state.to_owned(),
            time(token.created_at),
            token.last_used_at.map(time).unwrap_or_default(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}
