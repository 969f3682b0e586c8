//! The command line: one file per command, each an `Args` whose comments are the help, and one function.

mod autoscale;
mod backup;
mod bases;
mod build;
mod build_file;
mod build_secrets;
mod check;
mod completions;
mod config;
mod connection;
mod contexts;
mod error;
mod fleet;
mod hooks;
mod image;
mod live;
mod password;
mod plan;
mod prune;
mod remote;
mod request;
mod run;
mod runs;
mod scan;
mod secret;
mod server;
mod settings;
mod sweep;
mod task;
mod timer;
mod token;
mod watch;
mod why;
mod worker;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use futures_util::future::BoxFuture;

pub use error::CliError;
pub use settings::{Setting, Settings, cloud_variables, docker_config_file};

use crate::{
    app::{App, AppError, TaskDesk},
    client::Client,
    ports::{RegistryLogin, Services},
};

/// Build, test and push container images from ACR task files, on any Docker engine.
#[derive(Debug, Parser)]
#[command(
    name = "careen",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Globals {
    /// The database, a file or a postgres:// address, which CAREEN_DB_FILE may hold [default: the XDG data folder]
    #[arg(
        long,
        global = true,
        value_name = "FILE|URL",
        env = "CAREEN_DB",
        hide_env_values = true
    )]
    pub db: Option<PathBuf>,
    /// Do it on this careen server; CAREEN_TOKEN, or CAREEN_TOKEN_FILE, holds the token
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what was asked for
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// The settings file [default: careen.toml in the XDG configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "CAREEN_CONFIG")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a task file at once
    Run(run::Args),
    /// Run a task file again whenever a file of its folder is saved
    Watch(watch::Args),
    /// Build an image from a folder, a repository or an archive, and push it where its names say
    Build(build::Args),
    /// Check a task file and say everything that is wrong with it
    Check(check::Args),
    /// Show what a task file would do, without doing it
    Plan(plan::Args),
    /// Say which images a Dockerfile stands on, with their digests
    Scan(scan::Args),
    /// Look at recorded runs
    #[command(subcommand)]
    Runs(runs::Command),
    /// Store tasks, change them, and run them
    #[command(subcommand)]
    Task(task::Command),
    /// Look at deliveries of code hosts, and set who may deliver
    #[command(subcommand)]
    Hooks(hooks::Command),
    /// Look at the timers of stored tasks
    #[command(subcommand)]
    Timer(timer::Command),
    /// Look at the base images of stored tasks
    #[command(subcommand)]
    Bases(bases::Command),
    /// Serve the API, and run what is queued
    Server(server::Args),
    /// Make, list and revoke the tokens of a server
    #[command(subcommand)]
    Token(token::Command),
    /// End runs whose careen is gone, and remove what ended runs left on the engine
    Sweep(sweep::Args),
    /// Let go of runs, logs, contexts and build cache beyond the bounds of what is kept
    Prune(prune::Args),
    /// Copy all that is recorded into one file, while others go on
    Backup(backup::BackupArgs),
    /// Put a backup in the place of all that is recorded
    Restore(backup::RestoreArgs),
    /// Copy images between registries, without an engine
    #[command(subcommand)]
    Image(image::Command),
    /// Keep credentials of registries
    #[command(subcommand)]
    Connection(connection::Command),
    /// Keep secrets for tasks
    #[command(subcommand)]
    Secret(secret::Command),
    /// See which images stand on which, and bring them up to date in order
    #[command(subcommand)]
    Fleet(fleet::Command),
    /// Say why an image is as it is, or why a run was started
    Why(why::Args),
    /// Take queued runs out of a pool and drive them
    Worker(worker::Args),
    /// Let a worker service of a Swarm follow the queue of its pool
    Autoscale(autoscale::Args),
    /// Show the settings and where each comes from
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// What the command line is wired to; called only by commands that need it.
#[derive(Clone, Copy)]
pub struct Adapters {
    /// Makes careen.
    pub app: fn(Settings) -> BoxFuture<'static, Result<App, AppError>>,
    /// Makes a careen that keeps nothing, for commands that record nothing.
    pub passing_app: fn(&Settings) -> Result<App, AppError>,
    /// Reaches the services of the Swarm that the engine manages.
    pub services: fn(&Settings) -> Result<Arc<dyn Services>, AppError>,
    /// Reads the logins of a docker client's configuration file.
    pub logins: fn(&Path) -> Result<Vec<RegistryLogin>, String>,
}

/// Does what the command line says and returns the exit code.
pub fn main(adapters: Adapters) -> ExitCode {
    let cli = Cli::parse();
    let globals = cli.globals.clone();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: no threads to be had: {error}");
            return ExitCode::from(error::ERRORED);
        }
    };
    let done = runtime.block_on(dispatch(cli, adapters));
    // Readers of standard input or resolvers that still wait must not hold the process up.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| error.report(&globals))
}

async fn dispatch(cli: Cli, adapters: Adapters) -> Result<ExitCode, CliError> {
    let settings = Settings::read(&cli.globals)?;
    let context = Context {
        globals: cli.globals,
        settings,
        adapters,
    };
    match cli.command {
        Command::Run(args) => run::run(&context, args).await,
        Command::Watch(args) => watch::run(&context, args).await,
        Command::Build(args) => build::run(&context, args).await,
        Command::Check(args) => check::run(&context, args).await,
        Command::Plan(args) => plan::run(&context, args).await,
        Command::Scan(args) => scan::run(&context, args).await,
        Command::Runs(command) => runs::run(&context, command).await,
        Command::Task(command) => task::run(&context, command).await,
        Command::Hooks(command) => hooks::run(&context, command).await,
        Command::Timer(command) => timer::run(&context, command).await,
        Command::Bases(command) => bases::run(&context, command).await,
        Command::Server(args) => server::run(&context, args).await,
        Command::Token(command) => token::run(&context, command).await,
        Command::Sweep(args) => sweep::run(&context, args).await,
        Command::Prune(args) => prune::run(&context, args).await,
        Command::Backup(args) => backup::back_up(&context, args).await,
        Command::Restore(args) => backup::restore(&context, args).await,
        Command::Image(command) => image::run(&context, command).await,
        Command::Connection(command) => connection::run(&context, command).await,
        Command::Secret(command) => secret::run(&context, command).await,
        Command::Fleet(command) => fleet::run(&context, command).await,
        Command::Why(args) => why::run(&context, args).await,
        Command::Worker(args) => worker::run(&context, args).await,
        Command::Autoscale(args) => autoscale::run(&context, args).await,
        Command::Config(command) => config::run(&context, &command),
        Command::Completions(args) => Ok(completions::run(&args)),
    }
}

/// What a command has at hand.
pub struct Context {
    /// The flags that every command understands.
    pub globals: Globals,
    /// The settings.
    pub settings: Settings,
    adapters: Adapters,
}

impl Context {
    /// Makes careen.
    pub async fn app(&self) -> Result<App, CliError> {
        Ok((self.adapters.app)(self.settings.clone()).await?)
    }

    /// Opens the desk where stored tasks are read and changed.
    pub async fn desk(&self) -> Result<Box<dyn TaskDesk>, CliError> {
        match self.client()? {
            Some(client) => Ok(Box::new(client)),
            None => Ok(Box::new(self.app().await?)),
        }
    }

    /// Finds the server that things are done on, if one is set.
    pub fn client(&self) -> Result<Option<Client>, CliError> {
        let Some(address) = &self.settings.server.value else {
            return Ok(None);
        };
        Ok(Some(Client::new(address, remote::token()?)?))
    }

    /// Makes a careen that opens no database and keeps nothing.
    pub fn passing_app(&self) -> Result<App, CliError> {
        Ok((self.adapters.passing_app)(&self.settings)?)
    }

    /// Reaches the services of the Swarm.
    pub fn services(&self) -> Result<Arc<dyn Services>, CliError> {
        Ok((self.adapters.services)(&self.settings)?)
    }

    /// Finds credentials for registries: those that the docker client keeps.
    pub fn logins(&self) -> Result<Vec<RegistryLogin>, CliError> {
        let Some(file) = docker_config_file() else {
            return Ok(Vec::new());
        };
        (self.adapters.logins)(&file).map_err(|error| {
            CliError::usage(error, "Mend it, or set DOCKER_CONFIG to another folder")
        })
    }

    /// Prints a value as JSON.
    pub fn print_json(&self, value: &serde_json::Value) {
        anstream::println!("{value:#}");
    }
}

/// Asks a yes-or-no question; without a terminal there is nobody to ask.
fn confirm(question: &str) -> Result<bool, CliError> {
    use std::io::{BufRead, IsTerminal};
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            format!("{question} There is no terminal to ask on"),
            "Add --yes",
        ));
    }
    anstream::eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes"))
}
