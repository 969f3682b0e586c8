//! `careen worker`: takes runs out of a pool and drives them, until told to stop.

mod list;
mod state;

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::builder::FalseyValueParser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, Context};
use crate::{
    app::{Worker, WorkerDesk, WorkerTerms},
    ports::{DEFAULT_POOL, WorkerState},
    spec::command_line::{parse_cpus, parse_memory},
};

/// Billionths of a CPU in a thousandth.
const NANO_IN_MILLI: u64 = 1_000_000;

/// The options of `careen worker`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Its name, the same after a restart [default: the host's name]
    #[arg(long, value_name = "NAME", env = "CAREEN_WORKER_NAME")]
    name: Option<String>,
    #[command(flatten)]
    options: WorkerOptions,
}

/// What to do with workers that are at work.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the workers with what they have and do
    List,
    /// Let a worker end the runs that it has and take no others
    Drain(state::Args),
    /// Let a worker take runs again
    Resume(state::Args),
}

/// On what terms runs are taken, by a worker alone or by one beside a server.
#[derive(Debug, Clone, clap::Args)]
pub struct WorkerOptions {
    /// The pool whose runs it takes
    #[arg(long, value_name = "NAME", default_value = DEFAULT_POOL, env = "CAREEN_POOL")]
    pool: String,
    /// How many runs it drives at once [default: one per core]
    #[arg(long, value_name = "N", env = "CAREEN_PARALLEL_RUNS")]
    parallel_runs: Option<usize>,
    /// A label that it bears, for tasks that demand one; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", value_delimiter = ',', env = "CAREEN_WORKER_LABELS",
          value_parser = label)]
    labels: Vec<(String, String)>,
    /// A platform whose runs it takes beside its engine's own, for engines that emulate it
    #[arg(
        long = "platform",
        value_name = "OS/ARCH",
        value_delimiter = ',',
        env = "CAREEN_WORKER_PLATFORMS"
    )]
    platforms: Vec<String>,
    /// The CPUs that it offers to runs which demand some [default: all of its engine's]
    #[arg(long = "offer-cpus", value_name = "N", env = "CAREEN_WORKER_CPUS", value_parser = parse_cpus)]
    offer_nano_cpus: Option<u64>,
    /// The memory that it offers to runs which demand some, such as 8g [default: all of its engine's]
    #[arg(long, value_name = "SIZE", env = "CAREEN_WORKER_MEMORY", value_parser = parse_memory)]
    offer_memory: Option<u64>,
    /// Keep the caches of builds in the registry, beside the image, unless a step says `cache: disabled`
    #[arg(long, env = "CAREEN_SHARE_CACHE", value_parser = FalseyValueParser::new())]
    share_cache: bool,
    /// How long its runs stay its own without a word from it
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "CAREEN_LEASE",
          value_parser = clap::value_parser!(u64).range(3..=3600))]
    lease: u64,
    /// How long runs may take to end after SIGTERM; those that have not ended are handed over, still running
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        env = "CAREEN_DRAIN"
    )]
    drain: u64,
}

impl WorkerOptions {
    /// The terms of a worker of this name.
    pub fn terms(&self, context: &Context, name: String) -> Result<WorkerTerms, CliError> {
        let usual = WorkerTerms::named(name);
        Ok(WorkerTerms {
            pool: self.pool.clone(),
            parallel_runs: self.parallel_runs.unwrap_or(usual.parallel_runs).max(1),
            lease: Duration::from_secs(self.lease),
            drain: Duration::from_secs(self.drain),
            labels: self.labels.iter().cloned().collect(),
            platforms: self.platforms.clone(),
            cpu_millis: self.offer_nano_cpus.map(|nano| nano / NANO_IN_MILLI),
            memory_bytes: self.offer_memory,
            logins: context.logins()?,
            shares_cache: self.share_cache,
            ..usual
        })
    }
}

/// Works until SIGTERM or Ctrl-C, or tells workers what to do.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    match &args.command {
        Some(Command::List) => list::run(context).await,
        Some(Command::Drain(named)) => state::run(context, named, WorkerState::Draining).await,
        Some(Command::Resume(named)) => state::run(context, named, WorkerState::Active).await,
        None => work(context, args).await,
    }
}

async fn desk(context: &Context) -> Result<Box<dyn WorkerDesk>, CliError> {
    match context.client()? {
        Some(client) => Ok(Box::new(client)),
        None => Ok(Box::new(context.app().await?)),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write a label as NAME=VALUE".to_owned()),
    }
}

async fn work(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = Arc::new(context.app().await?);
    let name = args.name.unwrap_or_else(host_name);
    let terms = args.options.terms(context, name)?;
    let (name, pool) = (terms.name.clone(), terms.pool.clone());
    let worker = Worker::new(app, terms).await?;
    if !context.globals.quiet {
        anstream::eprintln!("worker {name} serves the pool {pool}");
    }
    worker.work(stop_on_signals()).await?;
    Ok(ExitCode::SUCCESS)
}

/// The first signal stops what the token is for, the second ends the process at once.
pub fn stop_on_signals() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        signalled().await;
        anstream::eprintln!(
            "stopping: runs end or are left, still running, to the next worker; once more ends at once"
        );
        stop.cancel();
        signalled().await;
        // What it leaves is taken up when the leases have run out.
        std::process::exit(1);
    });
    token
}

async fn signalled() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Says what this machine is called.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "worker".to_owned(),
        name => name.to_owned(),
    }
}
