//! `careen secret list`.

use std::process::ExitCode;

use serde_json::json;

use super::super::{CliError, Context};
use crate::app::AppError;

/// Lists the names of secrets; nothing prints their values.
pub async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let all = app.credentials.secrets.stored_secrets().await;
    let all = all.map_err(AppError::from)?;
    if context.globals.json {
        let rows: Vec<_> = all
            .iter()
            .map(|it| json!({ "name": it.name, "updatedAt": it.updated_at }))
            .collect();
        context.print_json(&rows.into());
        return Ok(ExitCode::SUCCESS);
    }
    for secret in &all {
        let changed = secret.updated_at.format("%Y-%m-%dT%H:%M:%SZ");
        match context.globals.quiet {
            true => anstream::println!("{}", secret.name),
            false => anstream::println!("{:<30} {changed}", secret.name),
        }
    }
    Ok(ExitCode::SUCCESS)
}
