//! `careen task apply`.

use std::{path::PathBuf, process::ExitCode};

use serde_json::json;

use super::super::{CliError, Context, confirm, error::USAGE};
use crate::app::{Manifests, Step};

/// The options of `careen task apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of manifests
    #[arg(short, long, value_name = "DIR")]
    file: PathBuf,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Makes the tasks match the folder. With a broken file the others are applied, and the exit code is 2.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let manifests = Manifests::read(&args.file)?;
    let desk = context.desk().await?;
    let steps = manifests.compare(desk.as_ref()).await?;
    show(context, &manifests, &steps);
    let is_wanted = !args.dry_run
        && !steps.is_empty()
        && (args.yes || confirm(&format!("Apply {} changes?", steps.len()))?);
    if is_wanted {
        manifests.apply(desk.as_ref(), &steps).await?;
    }
    if context.globals.json {
        context.print_json(&json!({
            "steps": steps,
            "broken": manifests.broken,
            "applied": is_wanted,
        }));
    }
    Ok(match manifests.broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(USAGE),
    })
}

fn show(context: &Context, manifests: &Manifests, steps: &[Step]) {
    if context.globals.json {
        return;
    }
    for broken in &manifests.broken {
        anstream::eprintln!("error: {}: {}", broken.file, broken.reason);
        anstream::eprintln!("help: the task stays as it was; mend the file and apply again");
    }
    if context.globals.quiet {
        return;
    }
    for step in steps {
        anstream::println!("{step}");
    }
    if steps.is_empty() {
        anstream::println!("nothing to change");
    }
}
