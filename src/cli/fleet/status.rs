//! `careen fleet status`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use super::{
    super::{CliError, Context},
    gathered,
};
use crate::fleet::{Fleet, Id, json};

/// The options of `careen fleet status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List what is fresh, too
    #[arg(long)]
    all: bool,
}

/// Lists tasks that are not what they should be, and why.
pub async fn run(context: &Context, args: &Args) -> Result<ExitCode, CliError> {
    let gathered = gathered(context).await?;
    let fleet = &gathered.fleet;
    let every = fleet.graph().tasks_of(fleet.graph().order());
    let ids: Vec<Id> = if args.all {
        every.collect()
    } else {
        fleet.outdated()
    };
    if context.globals.json {
        let ids = ids.into_iter().collect();
        context.print_json(&json(fleet, &ids)["nodes"]);
    } else if ids.is_empty() {
        anstream::println!("every image of the fleet is what it should be");
    } else {
        anstream::println!("{}", table(fleet, &ids).trim_fmt());
    }
    Ok(ExitCode::SUCCESS)
}

fn table(fleet: &Fleet, ids: &[Id]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["TASK", "STATE", "SINCE", "BECAUSE"]);
    for &id in ids {
        let standing = fleet.standing(id);
        let since = standing.stale.as_ref().and_then(|it| it.since);
        table.add_row([
            fleet.graph().node(id).name.clone(),
            standing.state.word().to_owned(),
            since.map(|it| it.to_rfc3339()).unwrap_or_default(),
            fleet.still(id).unwrap_or_default(),
        ]);
    }
    table
}
