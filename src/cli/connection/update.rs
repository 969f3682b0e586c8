//! `careen connection update`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context, password},
    options::Options,
    show::to_json,
};
use crate::app::NewPassword;

/// The options of `careen connection update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The connection
    name: String,
    /// Ask for a new password
    #[arg(long, group = "password")]
    password_prompt: bool,
    #[command(flatten)]
    options: Options,
}

/// Changes a connection; what is not said stays as it is.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let mut change = args.options.change()?;
    change.password = match args.password_prompt {
        true => Some(NewPassword::Given(password::prompt("password or token")?)),
        false => args.options.password()?,
    };
    let app = context.app().await?;
    let changed = app.update_connection(&args.name, change).await?;
    if context.globals.json {
        context.print_json(&to_json(&changed));
    } else if !context.globals.quiet {
        anstream::eprintln!("changed connection {}", changed.name);
    }
    Ok(ExitCode::SUCCESS)
}
