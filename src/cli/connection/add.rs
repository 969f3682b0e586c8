//! `careen connection add`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context, password},
    options::Options,
    show::to_json,
};
use crate::app::{NewConnection, NewPassword};

/// The options of `careen connection add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A name for it
    name: String,
    /// The registry's host, such as r.example.com or r.example.com:5000
    #[arg(short, long, value_name = "HOST", alias = "login-server")]
    server: String,
    #[command(flatten)]
    options: Options,
}

/// Adds a connection.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let change = args.options.change()?;
    let password = match args.options.password()? {
        Some(password) => password,
        None => NewPassword::Given(password::prompt("password or token")?),
    };
    let app = context.app().await?;
    let added = app
        .add_connection(NewConnection {
            name: args.name,
            server: args.server,
            username: args.options.username().unwrap_or_default(),
            password,
            change,
        })
        .await?;
    if context.globals.json {
        context.print_json(&to_json(&added));
    } else if !context.globals.quiet {
        let place = added.place();
        anstream::eprintln!("added connection {} for {place}", added.name);
        anstream::eprintln!("careen connection test {place} says what it may do");
    }
    Ok(ExitCode::SUCCESS)
}
