//! `careen why`: the chain of cause behind an image or a run.

use std::process::ExitCode;

use serde_json::json;

use super::{CliError, Context, fleet::gathered};
use crate::{
    app::Gathered,
    fleet::{Id, State, json as shown},
    ports::RunRow,
};

/// The options of `careen why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run, a task of the fleet, or an image
    #[arg(value_name = "IMAGE|RUN")]
    word: String,
}

/// Prints why.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    if context.client()?.is_none() {
        let app = context.app().await?;
        if let Ok(run) = app.ports.store.find(&args.word).await {
            let row = app
                .ports
                .store
                .run(&run)
                .await
                .map_err(crate::app::AppError::from)?;
            print_run(context, &row);
            return Ok(ExitCode::SUCCESS);
        }
    }
    let gathered = gathered(context).await?;
    let id = gathered.find(&args.word)?;
    if context.globals.json {
        context.print_json(&shown(&gathered.fleet, &[id].into())["nodes"][0]);
    } else {
        print_chain(&gathered, id);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_run(context: &Context, row: &RunRow) {
    if context.globals.json {
        let (id, status) = (&row.id, row.status.as_str());
        return context.print_json(&json!({
            "id": id, "status": status, "cause": row.cause, "trigger": row.trigger,
        }));
    }
    anstream::println!("run {} of {}: {}", row.id, row.name, row.cause);
    let Some(trigger) = &row.trigger else {
        return;
    };
    let origin = &trigger.details["origin"];
    if let (Some(image), Some(digest), Some(seen)) = (
        origin["image"].as_str(),
        origin["digest"].as_str(),
        origin["seen"].as_str(),
    ) {
        anstream::println!("  {image} moved to {digest}, seen {seen}");
    }
    for (image, digest) in trigger.details["inputs"]["bases"]
        .as_object()
        .into_iter()
        .flatten()
    {
        anstream::println!("  built on {image}@{}", digest.as_str().unwrap_or_default());
    }
}

/// Prints how a node stands, and then what is in its way, down to the root.
fn print_chain(gathered: &Gathered, id: Id) {
    let fleet = &gathered.fleet;
    let name = &fleet.graph().node(id).name;
    let standing = fleet.standing(id);
    let still = fleet
        .still(id)
        .unwrap_or_else(|| "it is what it should be".to_owned());
    anstream::println!("{name} is {}: {still}", standing.state.word());
    if let Some(origin) = standing.stale.as_ref().and_then(|it| it.origin.as_ref()) {
        anstream::println!(
            "  {} moved to {}, seen {}",
            origin.image,
            origin.digest,
            origin.seen
        );
    }
    let builds = fleet.facts().task(name).map(|it| it.builds.as_slice());
    if let Some(last) = builds.and_then(<[_]>::last) {
        let set_off = last
            .origin
            .as_ref()
            .map(|it| format!(", because {} moved", it.image));
        anstream::println!(
            "  last built by run {}{}",
            last.run,
            set_off.unwrap_or_default()
        );
    }
    if let State::Held { by, .. } = &standing.state {
        print_chain(gathered, *by);
    }
}
