//! `careen server`: serves the API, with a worker beside it that runs what is queued.

use std::{
    net::SocketAddr, num::NonZeroU32, path::PathBuf, process::ExitCode, sync::Arc, time::Duration,
};

use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::{
    CliError, Context,
    error::ERRORED,
    settings::secret_variable,
    worker::{WorkerOptions, host_name, stop_on_signals},
};
use crate::{
    app::{
        App, Duty, FleetDriver, Hook, LookTerms, Lookout, Notices, ReportTerms, WorkerTerms,
        decide_deliveries, poll_sources, report_runs, work_beside,
    },
    server::{Api, Listen, ServeError, Terms, serve, tell_ends, watch_specs},
    spec::Grant,
};

/// How often the server lets go of what is beyond the bounds.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// The options of `careen server`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address to listen on
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:7420",
        env = "CAREEN_LISTEN"
    )]
    listen: SocketAddr,
    /// Serve requests without a token, too; only on a loopback address
    #[arg(long)]
    insecure_loopback: bool,
    /// What runs may be allowed, as with careen run --allow; nothing unless said
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<String>,
    /// The certificate chain, PEM; with --tls-key the server speaks https
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        env = "CAREEN_TLS_CERT"
    )]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        env = "CAREEN_TLS_KEY"
    )]
    tls_key: Option<PathBuf>,
    /// Keep the stored tasks the same as this folder of manifests
    #[arg(long, value_name = "DIR", env = "CAREEN_TASK_SPECS")]
    task_specs: Option<PathBuf>,
    /// Tell ends of runs to this address; all:, failures: or recoveries: in front says which. CAREEN_HOOK_KEY, or
    /// CAREEN_HOOK_KEY_FILE, holds the key that signs
    #[arg(long, value_name = "[WHICH:]URL")]
    notify: Vec<Hook>,
    /// Tell addresses in private networks, too, when tasks or deliveries name them: notices of tasks, statuses of
    /// commits. Those of --notify may be anywhere
    #[arg(long, env = "CAREEN_NOTIFY_PRIVATE")]
    notify_private: bool,
    /// Look at base images this often, give or take a fifth; such as 15m or 1h
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    base_interval: Duration,
    /// Ask one registry for base images at most so many times a second
    #[arg(long, value_name = "N", default_value = "20")]
    base_rate: NonZeroU32,
    /// Requests a second from one address; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 200)]
    rate_limit: u32,
    /// How long a request may take; streams are not cut
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    request_timeout: Duration,
    /// Where people reach this server, for links in what code hosts are told
    #[arg(long, value_name = "URL", env = "CAREEN_PUBLIC_URL")]
    public_url: Option<String>,
    /// Drive no runs; careen worker does, on this machine or others
    #[arg(long, env = "CAREEN_NO_WORKER")]
    no_worker: bool,
    /// The name of the worker beside the server, the same after a restart [default: the host's name and -server]
    #[arg(long, value_name = "NAME", env = "CAREEN_WORKER_NAME")]
    worker_name: Option<String>,
    #[command(flatten)]
    worker: WorkerOptions,
}

/// Serves until a signal comes, and drives runs beside that.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    check(&args)?;
    let notices = notices(&args)?;
    let terms = args.worker_terms(context)?;
    let app = Arc::new(context.app().await?);
    say_first_token(&app, &args).await?;
    let mut api = Api::new(
        app.clone(),
        Terms {
            is_open: args.insecure_loopback,
            allow: args.allow.clone(),
            timeout: args.request_timeout,
        },
    );
    api.stop = stop_on_signals();
    let mut beside = JoinSet::new();
    beside.spawn(tell_ends(app.clone(), notices, api.stop.clone()));
    let news = api.intake.news.clone();
    beside.spawn(decide_deliveries(app.clone(), news, api.stop.clone()));
    let holder = format!("{}-{:016x}", host_name(), rand::random::<u64>());
    let duty = |name| (Duty::of(name, &holder), app.clone(), api.stop.clone());
    let (polls, polling, stop) = duty("polls");
    beside.spawn(polls.tend(polling.clone(), stop.clone(), move || {
        poll_sources(polling.clone(), stop.clone())
    }));
    let report = ReportTerms {
        public_url: args.public_url.clone(),
        allow_private: args.notify_private,
    };
    beside.spawn(report_runs(app.clone(), report, api.stop.clone()));
    if let Some(terms) = terms {
        beside.spawn(work_beside(app.clone(), terms, api.stop.clone()));
    }
    beside.spawn(app.clone().tend_timers(api.stop.clone()));
    let lookout = Lookout::new(app.clone(), look_terms(&args));
    beside.spawn(lookout.tend(api.stop.clone()));
    let driver = FleetDriver::new(app.clone(), format!("{} {}", host_name(), args.listen));
    beside.spawn(driver.drive(api.stop.clone()));
    if let Some(folder) = args.task_specs.clone() {
        let (specs, applying, stop) = duty("task-specs");
        beside.spawn(specs.tend(applying.clone(), stop.clone(), move || {
            watch_specs(applying.clone(), folder.clone(), stop.clone())
        }));
    }
    let keep = context.settings.bounds.keep();
    if !keep.is_all() {
        let (prune, pruning, stop) = duty("prune");
        beside.spawn(prune.tend(pruning.clone(), stop, move || {
            let (pruning, keep) = (pruning.clone(), keep.clone());
            async move { pruning.keep_pruning(keep, PRUNE_EVERY).await }
        }));
    }
    let stop = api.stop.clone();
    let served = listen(context, args, api).await;
    stop.cancel();
    while beside.join_next().await.is_some() {}
    match served {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Ok(ExitCode::from(ERRORED))
        }
    }
}

async fn listen(context: &Context, args: Args, api: Api) -> Result<(), ServeError> {
    let scheme = if args.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    let listen = Listen {
        address: args.listen,
        tls: args.tls_cert.zip(args.tls_key),
        rate: args.rate_limit,
    };
    let is_quiet = context.globals.quiet;
    serve(api, listen, |address| {
        if !is_quiet {
            anstream::eprintln!("listening on {scheme}://{address}, the API is shown at /docs");
        }
    })
    .await
}

impl Args {
    /// The terms of the worker beside the server; `None` when others do the work.
    fn worker_terms(&self, context: &Context) -> Result<Option<WorkerTerms>, CliError> {
        if self.no_worker {
            return Ok(None);
        }
        let usual = || format!("{}-server", host_name());
        let name = self.worker_name.clone().unwrap_or_else(usual);
        self.worker.terms(context, name).map(Some)
    }
}

fn check(args: &Args) -> Result<(), CliError> {
    if args.insecure_loopback && !args.listen.ip().is_loopback() {
        return Err(CliError::usage(
            format!(
                "--insecure-loopback, but {} is no loopback address",
                args.listen
            ),
            "Listen on 127.0.0.1, or make tokens with careen token create",
        ));
    }
    match args.allow.iter().find(|word| Grant::parse(word).is_none()) {
        None => Ok(()),
        Some(word) => Err(CliError::usage(
            format!("--allow {word} is not known"),
            "It takes privileged, docker-socket, host-network, external-network=NAME or host-path=/DIR",
        )),
    }
}

fn look_terms(args: &Args) -> LookTerms {
    LookTerms {
        interval: args.base_interval,
        per_second: args.base_rate,
        ..LookTerms::default()
    }
}

/// Reads who is told the ends of runs. Without a key nobody is, for nobody could trust what they are told.
fn notices(args: &Args) -> Result<Option<Notices>, CliError> {
    let key = secret_variable("CAREEN_HOOK_KEY")?;
    match key {
        Some(key) => {
            let notices = Notices::new(args.notify.clone(), key);
            Ok(Some(notices.allow_private(args.notify_private)))
        }
        None if args.notify.is_empty() => Ok(None),
        None => Err(CliError::usage(
            "--notify needs a key that signs what is told",
            "Set CAREEN_HOOK_KEY, or CAREEN_HOOK_KEY_FILE to a file that holds it",
        )),
    }
}

/// Prints the first admin token; it is shown this once.
async fn say_first_token(app: &App, args: &Args) -> Result<(), CliError> {
    if args.insecure_loopback {
        return Ok(());
    }
    if let Some(secret) = app.first_token().await? {
        anstream::eprintln!("the first admin token, shown this once:");
        anstream::println!("{}", secret.expose_secret());
    }
    Ok(())
}
