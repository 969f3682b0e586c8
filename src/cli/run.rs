//! `careen run`: runs a task file at once, on this machine, without a server.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    CliError, Context,
    error::{CANCELED, exit_code},
    live, remote,
    request::RequestArgs,
};
use crate::{
    app::{App, AppError, Live, Outcome, Queued},
    engine::RunStatus,
    ports::RegistryLogin,
    text::{Source, render},
};

/// The options of `careen run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Print nothing but the run's id
    #[arg(long)]
    id_only: bool,
}

/// Runs a task file and shows it live.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let client = context.client()?;
    let mut terms = Terms::of(context)?;
    terms.id_only = args.id_only;
    let app = context.app().await?;
    if client.is_none() {
        say_swept(context, &app).await;
    }
    let wanted = args.request.read(context, &app).await?;
    if let Some(client) = client {
        let asked = (wanted.request, wanted.secrets);
        return remote::run(context, &client, &app, asked, terms.id_only).await;
    }
    let (name, text) = (wanted.request.file.clone(), wanted.request.text.clone());
    terms.heed_signals();
    let queued = app.queue(wanted.request, wanted.secrets, None).await?;
    if !context.globals.quiet && !queued.warnings.is_empty() {
        let styled = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let source = Source {
            name: &name,
            text: &text,
        };
        anstream::eprint!("{}", render(&source, &queued.warnings, styled));
    }
    show(context, &app, queued, terms).await
}

/// On what terms a run is driven. Found out before it is queued: what is queued must not fail for want of them.
pub struct Terms {
    /// Credentials for registries.
    pub logins: Vec<RegistryLogin>,
    /// Whether nothing but the id is printed.
    pub id_only: bool,
    /// Cancels the run.
    pub cancel: CancellationToken,
}

impl Terms {
    /// The terms of a command that has no `--id-only`.
    pub fn of(context: &Context) -> Result<Self, CliError> {
        Ok(Self {
            logins: context.logins()?,
            id_only: false,
            cancel: CancellationToken::new(),
        })
    }

    /// From now on the first Ctrl-C (or SIGTERM) cancels the run and lets it clean up; the second ends the process at
    /// once. To be called before the run is recorded: a signal in between would leave it unfinished.
    pub fn heed_signals(&self) {
        let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
            return;
        };
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            cancel.cancel();
            anstream::eprintln!(
                "canceling: stopping and removing containers; once more ends at once"
            );
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            // What is left is removed by the next run or by careen sweep.
            std::process::exit(i32::from(CANCELED));
        });
    }
}

/// Drives a queued run to its end, showing it live; shared by all commands that run something.
pub async fn show(
    context: &Context,
    app: &App,
    queued: Queued,
    terms: Terms,
) -> Result<ExitCode, CliError> {
    let (id, id_only) = (queued.id.clone(), terms.id_only);
    if id_only {
        anstream::println!("{id}");
    } else if !context.globals.quiet {
        let count = queued.plan.steps().len();
        let plural = if count == 1 { "" } else { "s" };
        anstream::eprintln!("run {id}: {count} step{plural}");
        for remark in &queued.remarks {
            anstream::eprintln!("{remark}");
        }
    }
    let live = Live {
        watcher: live::watcher(&context.globals, &queued.plan, id_only),
        cancel: terms.cancel,
        logins: terms.logins,
        shares_cache: false,
    };
    let outcome = app.drive(queued, live).await?;
    finish(context, &outcome, id_only);
    Ok(exit_code(outcome.run.status))
}

/// Prints how a run ended.
pub fn finish(context: &Context, outcome: &Outcome, id_only: bool) {
    if context.globals.json {
        return context.print_json(&live::to_json(outcome));
    }
    if id_only {
        return;
    }
    let (run, state) = (&outcome.run, &outcome.state);
    let is_plain = context.globals.quiet && run.status == RunStatus::Succeeded;
    if is_plain {
        return;
    }
    if !context.globals.quiet && !state.plan().steps().is_empty() {
        anstream::eprint!("\n{}", live::summary(outcome));
    }
    let took = match (run.started_at, run.ended_at) {
        (Some(start), Some(end)) => live::duration((end - start).num_milliseconds()),
        _ => String::new(),
    };
    let reason = run
        .reason
        .as_deref()
        .map(|it| format!(": {}", it.replace(char::is_control, " ")));
    anstream::eprintln!(
        "run {} {} after {took}{}",
        run.id,
        run.status.as_str().replace('_', " "),
        reason.unwrap_or_default()
    );
}

/// Runs left behind by a careen that was killed are ended first; trouble with that is no reason not to run.
pub async fn say_swept(context: &Context, app: &App) {
    match app.end_lost_runs().await {
        Ok(swept) if context.globals.quiet || swept.ended.is_empty() => {}
        Ok(swept) => anstream::eprintln!(
            "ended {} that an earlier careen left behind, removed {} things of it",
            swept.ended.join(", "),
            swept.removed
        ),
        Err(AppError::Engine(_)) => {}
        Err(error) => anstream::eprintln!("could not end what an earlier careen left: {error}"),
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn signalled() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
