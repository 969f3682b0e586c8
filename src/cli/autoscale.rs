//! `careen autoscale`: lets a worker service of a Swarm follow the queue of its pool.

use std::{process::ExitCode, sync::Arc, time::Duration};

use super::{
    CliError, Context,
    worker::{host_name, stop_on_signals},
};
use crate::{
    app::{Duty, ScaleTerms, Scaler},
    ports::DEFAULT_POOL,
};

/// The options of `careen autoscale`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service whose replicas are the workers; the engine must be a manager of the Swarm
    #[arg(long, value_name = "NAME", default_value = "careen_worker")]
    service: String,
    /// The pool that it serves
    #[arg(long, value_name = "NAME", default_value = DEFAULT_POOL)]
    pool: String,
    /// No fewer replicas than this
    #[arg(long, value_name = "N", default_value_t = 1)]
    min: u64,
    /// No more replicas than this
    #[arg(long, value_name = "N")]
    max: u64,
    /// How many runs one replica drives at once
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4,
        env = "CAREEN_PARALLEL_RUNS"
    )]
    runs_per_worker: u64,
    /// Want one replica more once a run has waited for so long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    longest_wait: Duration,
    /// Fewer replicas only when they would have been enough for so long
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = humantime::parse_duration)]
    cool_down: Duration,
    /// How often to look
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    every: Duration,
    /// Look once, and say how many replicas there are to be
    #[arg(long)]
    once: bool,
}

/// Scales until SIGTERM or Ctrl-C; of several that do so for one service, one at a time.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = Arc::new(context.app().await?);
    let services = context.services()?;
    let terms = ScaleTerms {
        service: args.service.clone(),
        pool: args.pool,
        min: args.min,
        max: args.max,
        runs_per_worker: args.runs_per_worker,
        longest_wait: args.longest_wait,
        cool_down: args.cool_down,
        every: args.every,
    };
    if args.once {
        let set = Scaler::new(terms).look(&app, services.as_ref()).await?;
        let replicas = match set {
            Some(replicas) => replicas,
            None => services
                .replicas(&args.service)
                .await
                .map_err(crate::app::AppError::from)?,
        };
        anstream::println!("{replicas}");
        return Ok(ExitCode::SUCCESS);
    }
    let holder = format!("{}-{:016x}", host_name(), rand::random::<u64>());
    let duty = Duty::of(format!("autoscale:{}", args.service), &holder);
    let scaled = app.clone();
    let follow = move || Scaler::new(terms.clone()).follow(scaled.clone(), services.clone());
    duty.tend(app, stop_on_signals(), follow).await;
    Ok(ExitCode::SUCCESS)
}
