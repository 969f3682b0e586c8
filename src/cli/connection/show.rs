//! `careen connection show`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::{CliError, Context};
use crate::ports::{Connection, PasswordSource};

/// The options of `careen connection show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The connection
    name: String,
}

/// Shows a connection.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let connection = app.connection(&args.name).await?;
    let shown = to_json(&connection);
    if context.globals.json {
        context.print_json(&shown);
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.replace(char::is_control, " "),
            other => other.to_string(),
        };
        anstream::println!("{name:<12} {text}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A connection without its password.
pub fn to_json(connection: &Connection) -> Value {
    json!({
        "name": connection.name,
        "server": connection.server,
        "repository": connection.prefix,
        "username": connection.username,
        "password": source(connection),
        "pullOnly": connection.pull_only,
        "plainHttp": connection.plain_http,
        "ownAuthority": connection.authority.is_some(),
        "createdAt": connection.created_at,
        "updatedAt": connection.updated_at,
    })
}

/// Where the password is.
pub fn source(connection: &Connection) -> &'static str {
    match connection.password {
        PasswordSource::Sealed(_) => "sealed",
        PasswordSource::DockerConfig => "docker config",
    }
}
