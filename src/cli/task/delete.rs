//! `careen task delete`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context, confirm},
    NameArg,
};

/// The options of `careen task delete`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameArg,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
}

/// Deletes a task; its history stays.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let name = args.name.name();
    let desk = context.desk().await?;
    desk.get(name).await?;
    if !args.yes && !confirm(&format!("Delete task {name}?"))? {
        return Ok(ExitCode::SUCCESS);
    }
    desk.delete(name).await?;
    if !context.globals.quiet {
        anstream::eprintln!("deleted task {name}; its history stays");
    }
    Ok(ExitCode::SUCCESS)
}
