//! `careen fleet patch`.

use std::{process::ExitCode, sync::Arc};

use super::{
    super::{
        CliError, Context,
        run::{Terms, say_swept},
    },
    Which, app, say_remarks,
};
use crate::{
    app::{App, Wave},
    fleet::{Rollout, RolloutState, json},
};

/// What `careen fleet patch` exits with when an image is not what it should be.
const LEFT: u8 = 1;

/// The options of `careen fleet patch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Build at most so many at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    max_parallel: u32,
    /// Build this task first, with what it stands on, and go on only if that is good
    #[arg(long, value_name = "TASK")]
    canary: Option<String>,
    /// Try again what failed before
    #[arg(long)]
    retry: bool,
}

/// Builds what is stale, and says what is left.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let terms = Terms::of(context)?;
    let app = Arc::new(app(context).await?);
    say_swept(context, &app).await;
    let rollout = rollout(&app, &terms, &args).await?;
    terms.heed_signals();
    let is_quiet = context.globals.quiet;
    let say = move |line: &str| {
        if !is_quiet {
            anstream::eprintln!("{line}");
        }
    };
    let wave = Wave {
        rollout,
        retry: args.retry,
        logins: terms.logins,
        cancel: terms.cancel,
        say: &say,
    };
    let gathered = app.patch(&wave).await?;
    say_remarks(context, &gathered);
    let fleet = &gathered.fleet;
    let of_wave = wave
        .rollout
        .tasks
        .iter()
        .filter_map(|it| fleet.graph().task(it));
    let left = of_wave
        .clone()
        .filter_map(|id| Some((id, fleet.still(id)?)));
    let left: Vec<_> = left.collect();
    if context.globals.json {
        context.print_json(&json(fleet, &of_wave.collect())["nodes"]);
    } else {
        for (id, still) in &left {
            anstream::println!("{}: {still}", fleet.graph().node(*id).name);
        }
        let fresh = wave.rollout.tasks.len() - left.len();
        anstream::println!(
            "{fresh} of {} tasks are what they should be",
            wave.rollout.tasks.len()
        );
    }
    Ok(if left.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(LEFT)
    })
}

/// Names the tasks, and the limits on them.
async fn rollout(app: &App, terms: &Terms, args: &Args) -> Result<Rollout, CliError> {
    let gathered = app.fleet(&terms.logins).await?;
    if let Some(canary) = &args.canary {
        gathered.find(canary)?;
    }
    let ids = gathered.affected(&args.which.base)?;
    let name = |id| gathered.fleet.graph().node(id).name.clone();
    Ok(Rollout {
        id: app.draw_id(),
        tasks: ids.into_iter().map(name).collect(),
        max_parallel: Some(args.max_parallel.max(1)),
        canary: args.canary.clone(),
        state: RolloutState::Running,
        since: app.ports.clock.now(),
    })
}
