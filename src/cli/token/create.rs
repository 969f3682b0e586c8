//! `careen token create`.

use std::process::ExitCode;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::json;

use super::super::{CliError, Context};
use crate::ports::{CredentialScopes, Role};

/// The options of `careen token create`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who or what will bear it
    name: String,
    /// What its bearer may do: reader, runner, editor or admin
    #[arg(long, default_value = "reader")]
    role: Role,
    /// What its bearer's runs may use the server's credentials for: pull:HOST[/PATH] or push:HOST[/PATH], each with all
    /// below it, or none; all of them unless said
    #[arg(long, value_name = "RIGHT:PLACE", value_delimiter = ',')]
    credentials: Vec<String>,
    /// How long it is good, such as 30d; for ever when nothing is said
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

/// Makes a token and prints it, this once.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let time = args.expires.as_deref().map(time).transpose()?;
    let expires_at = time.map(|time| app.ports.clock.now() + time);
    let credentials = match args.credentials.as_slice() {
        [] => None,
        words => Some(CredentialScopes::parse(words).map_err(|why| {
            CliError::usage(
                why,
                "Write --credentials pull:r.io/team, or none for no credential at all",
            )
        })?),
    };
    let may = (args.role, credentials);
    let made = app.create_token_within(&args.name, may, expires_at).await?;
    let (token, secret) = made;
    if context.globals.json {
        let mut value = json!(token);
        value["secret"] = json!(secret.expose_secret());
        context.print_json(&value);
    } else {
        if !context.globals.quiet {
            anstream::eprintln!("token {} for {}, shown this once:", token.id, token.name);
        }
        anstream::println!("{}", secret.expose_secret());
    }
    Ok(ExitCode::SUCCESS)
}

fn time(text: &str) -> Result<TimeDelta, CliError> {
    let time = humantime::parse_duration(text).ok();
    time.and_then(|it| TimeDelta::from_std(it).ok())
        .ok_or_else(|| {
            CliError::usage(
                format!("the time {text:?} cannot be used"),
                "Write a time such as 12h or 30d",
            )
        })
}
