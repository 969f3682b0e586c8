//! `careen worker`: takes runs out of a pool and drives them, until told to stop.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, Context};
use crate::{
    app::{Worker, WorkerTerms},
    ports::DEFAULT_POOL,
};

/// The options of `careen worker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name, the same after a restart [default: the host's name]
    #[arg(long, value_name = "NAME", env = "CAREEN_WORKER_NAME")]
    name: Option<String>,
    #[command(flatten)]
    options: WorkerOptions,
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
            logins: context.logins()?,
            ..usual
        })
    }
}

/// Works until SIGTERM or Ctrl-C.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
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
