//! `careen secret rekey`.

use std::process::ExitCode;

use serde_json::json;

use super::super::{CliError, Context};

/// Seals connections and secrets with a new key.
pub async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let done = app.rekey().await?;
    if context.globals.json {
        context.print_json(&json!({
            "key": done.key_id,
            "isNew": done.is_new,
            "connections": done.connections,
            "secrets": done.secrets,
        }));
    } else if !context.globals.quiet {
        let (connections, secrets) = (done.connections, done.secrets);
        anstream::eprintln!(
            "sealed {connections} connections and {secrets} secrets with key {}",
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
