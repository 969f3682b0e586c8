//! `careen bases list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::{
    super::{CliError, Context},
    desk, short,
};
use crate::ports::{BaseRow, Watch};

/// The options of `careen bases list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the bases of this task
    #[arg(value_name = "TASK")]
    task: Option<String>,
}

/// Lists what tasks stand on.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let desk = desk(context).await?;
    let bases = desk.bases_of(args.task.as_deref()).await?;
    let watches = desk.watches_of(args.task.as_deref()).await?;
    if context.globals.json {
        context.print_json(&json!({ "bases": bases, "watches": watches }));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "TASK",
        "IMAGE",
        "USE",
        "BUILT ON",
        "SEEN",
        "NEXT LOOK",
        "PROBLEM",
    ]);
    for base in &bases {
        let watch = watches.iter().find(|it| it.key == base.key);
        table.add_row(row(base, watch));
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}

fn row(base: &BaseRow, watch: Option<&Watch>) -> [String; 7] {
    let kind = if base.is_runtime { "runtime" } else { "build" };
    let known = |content: Option<&String>| content.map_or("unknown".to_owned(), |it| short(it));
    let next = watch.map(|it| it.next_at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let problem = watch.and_then(|it| it.problem.clone());
    [
        base.task.clone(),
        base.key.clone(),
        kind.to_owned(),
        known(base.stood_on.as_ref()),
        known(watch.and_then(|it| it.seen.as_ref())),
        next.unwrap_or_default(),
        problem.unwrap_or_default(),
    ]
}
