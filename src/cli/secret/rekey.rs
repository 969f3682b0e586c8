//! `careen secret rekey`.

use std::process::ExitCode;

use serde_json::json;

use super::super::{CliError, Context};

/// Seals connections, secrets and sources of deliveries with a new key.
pub async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let done = app.rekey().await?;
    if context.globals.json {
        context.print_json(&json!({
            "key": done.key_id,
            "isNew": done.is_new,
            "connections": done.connections,
            "secrets": done.secrets,
            "sources": done.sources,
        }));
    } else if !context.globals.quiet {
        anstream::eprintln!(
            "sealed {} connections, {} secrets and {} sources with key {}",
            done.connections,
            done.secrets,
            done.sources,
            done.key_id
        );
        let rest = match done.is_new {
            true => "earlier keys stay beside it, for what runs and tasks sealed with them",
            false => "keep the earlier keys after it, for what runs and tasks sealed with them",
        };
        anstream::eprintln!("{rest}");
    }
    Ok(ExitCode::SUCCESS)
}
