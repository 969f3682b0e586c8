//! `careen fleet patch`.

use std::{process::ExitCode, sync::Arc};

use super::{
    super::{
        CliError, Context,
        run::{Terms, say_swept},
    },
    Which, app,
    follow::{LEFT, follow},
    rollout_desk, rollouts, say_remarks,
};
use crate::{
    app::{App, RolloutWish, Wave},
    fleet::{Rollout, RolloutState, json},
};

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
    /// Do not wait for its end; for a rollout that a server drives
    #[arg(long)]
    detach: bool,
    /// Let a server begin it again and again: minute, hour, day, month and weekday, such as "0 3 * * 1"
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// The time zone of the schedule, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "schedule")]
    time_zone: Option<String>,
}

/// Builds what is stale, and says what is left.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let is_of_server = context.client()?.is_some() || args.detach || args.schedule.is_some();
    match is_of_server {
        true => begin(context, args).await,
        false => drive(context, args).await,
    }
}

/// Lets servers do it, and waits for the end unless told not to.
async fn begin(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let desk = rollout_desk(context).await?;
    let wish = RolloutWish {
        bases: args.which.base,
        max_parallel: Some(args.max_parallel),
        canary: args.canary,
        retry: args.retry,
        schedule: args.schedule,
        time_zone: args.time_zone,
    };
    let begun = desk.begin(&wish).await?;
    match args.detach || wish.schedule.is_some() {
        true => {
            rollouts::print(context, &begun);
            Ok(ExitCode::SUCCESS)
        }
        false => follow(context, &*desk, begun).await,
    }
}

async fn drive(context: &Context, args: Args) -> Result<ExitCode, CliError> {
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
    let gathered = app.fleet_now(&terms.logins).await?;
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
