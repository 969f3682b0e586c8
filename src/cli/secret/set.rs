//! `careen secret set`.

use std::{io::IsTerminal, process::ExitCode};

use super::super::{CliError, Context, password};

/// The options of `careen secret set`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The secret's name: the id that a task's `secrets` has, or another that --secret-from names
    name: String,
    /// Read the value from this file; - is standard input
    #[arg(short, long, value_name = "FILE", group = "source")]
    file: Option<String>,
    /// Take the value from this environment variable
    #[arg(long, value_name = "VARIABLE", group = "source")]
    from_env: Option<String>,
}

/// Sets a secret.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let value = match (args.file.as_deref(), &args.from_env) {
        (Some("-"), _) => password::from_stdin("secret")?,
        (Some(path), _) => password::from_file("secret", path)?,
        (None, Some(name)) => password::from_variable("secret", name)?,
        (None, None) if std::io::stdin().is_terminal() => password::prompt("secret")?,
        (None, None) => password::from_stdin("secret")?,
    };
    let app = context.app().await?;
    app.set_secret(&args.name, &value).await?;
    if !context.globals.quiet {
        anstream::eprintln!("set secret {}", args.name);
    }
    Ok(ExitCode::SUCCESS)
}
