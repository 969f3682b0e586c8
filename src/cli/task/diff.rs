//! `careen task diff`.

use std::process::ExitCode;

use serde_json::json;

use super::{
    super::{CliError, Context},
    NameArg,
};
use crate::{
    ports::TaskVersion,
    tasks::{Definition, diff},
};

/// The options of `careen task diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameArg,
    /// The earlier version [default: the one before the later]
    #[arg(long, value_name = "N")]
    from: Option<u32>,
    /// The later version [default: the last]
    #[arg(long, value_name = "N")]
    to: Option<u32>,
}

/// Shows what tells two versions apart.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let name = args.name.name();
    let desk = context.desk().await?;
    let to = match args.to {
        Some(number) => number,
        None => desk.history(name).await?.first().map_or(1, |it| it.version),
    };
    let from = args.from.unwrap_or(to.saturating_sub(1));
    let nothing = Definition::named(name);
    let side = |version: TaskVersion| version.definition.unwrap_or_else(|| nothing.clone());
    let before = match from {
        0 => nothing.clone(),
        from => side(desk.version(name, from).await?),
    };
    let changes = diff(&before, &side(desk.version(name, to).await?));
    if context.globals.json {
        context.print_json(&json!({ "from": from, "to": to, "changes": changes }));
    } else {
        changes.iter().for_each(|it| anstream::println!("{it}"));
    }
    Ok(ExitCode::SUCCESS)
}
