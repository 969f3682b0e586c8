//! Runs things on a server and shows them as if they ran here.

use std::{path::Path, process::ExitCode};

use futures_util::StreamExt;
use secrecy::SecretString;
use tokio::io::AsyncWriteExt;

use super::{
    CliError, Context,
    error::exit_code,
    live,
    run::{finish, signalled},
    settings::secret_variable,
};
use crate::{
    app::{App, AppError, Outcome, Overrides, Request, RunWish, SecretText, Secrets, outline},
    client::{Client, Message},
    engine::{Event, RunState, Settings, Verdict, advance},
    ports::{Place, RecordedEvent, RunRow},
    runner::{Change, LogLine, Watcher},
    server::{LineView, RunTask},
};

/// Reads the token for the server from the environment.
pub fn token() -> Result<Option<SecretString>, CliError> {
    secret_variable("CAREEN_TOKEN")
}

/// Checks a request here, uploads its context, queues it there and follows it.
pub async fn run(
    context: &Context,
    client: &Client,
    app: &App,
    (request, secrets): (Request, Secrets),
    id_only: bool,
) -> Result<ExitCode, CliError> {
    if !request.outputs.is_empty() {
        return Err(CliError::usage(
            "--output copies to this machine, and the run is on a server",
            "Push what you need as an image, or run without --server",
        ));
    }
    app.prepare(&request, &secrets)?;
    let digest = match &request.context {
        Some(folder) => Some(upload(client, app, folder).await?),
        None => None,
    };
    let wish = RunWish::of(&request, &secrets, digest);
    let id = client.queue_run(&wish, &key()).await?;
    follow(context, client, &id, id_only).await
}

/// Queues a run of a stored task and follows it.
pub async fn run_task(
    context: &Context,
    client: &Client,
    task: &str,
    overrides: Overrides,
) -> Result<ExitCode, CliError> {
    if overrides.context.is_some() {
        return Err(CliError::usage(
            "a task of a server takes its files from where the task says",
            "careen run --server uploads a folder of this machine",
        ));
    }
    let secrets = overrides.secrets.into_iter();
    let wish = RunTask {
        file: overrides.file,
        values: overrides.values,
        secrets: secrets.map(|(name, it)| (name, SecretText(it))).collect(),
        arguments: overrides.arguments,
        target: overrides.target,
    };
    let id = client.run_task(task, &wish, &key()).await?;
    follow(context, client, &id, false).await
}

/// Names one request, so that sending it twice does it once.
fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Packs a folder and uploads what the server does not have of it.
async fn upload(client: &Client, app: &App, folder: &Path) -> Result<String, AppError> {
    let failed = |error: std::io::Error| {
        AppError::Files(format!(
            "the context {} could not be packed: {error}",
            folder.display()
        ))
    };
    let tar = app.ports.folders.workspace(folder);
    let mut tar = tar.map_err(|error| AppError::Files(error.to_string()))?;
    let archive = tempfile::NamedTempFile::new().map_err(failed)?;
    let mut file = tokio::fs::File::create(archive.path())
        .await
        .map_err(failed)?;
    while let Some(piece) = tar.next().await {
        file.write_all(&piece.map_err(failed)?)
            .await
            .map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    client.upload(archive.path()).await
}

/// Follows a run of a server to its end, showing it live. Ctrl-C cancels it there.
pub async fn follow(
    context: &Context,
    client: &Client,
    id: &str,
    id_only: bool,
) -> Result<ExitCode, CliError> {
    let mut shown = Shown::open(context, client, id, id_only).await?;
    cancel_on_signals(client, id);
    let mut messages = client.follow(id);
    loop {
        match messages.next().await? {
            Message::Lines(lines) => lines.into_iter().for_each(|line| shown.line(line)),
            Message::Events(events) => shown.events(&events)?,
            Message::Run(row, place) => shown.stands(*row, place),
            Message::End => break,
        }
    }
    let status = shown.row.status;
    finish(context, &shown.outcome(), id_only);
    Ok(exit_code(status))
}

/// The first Ctrl-C asks the server to cancel the run, the second leaves at once.
fn cancel_on_signals(client: &Client, id: &str) {
    let (client, id) = (client.clone(), id.to_owned());
    tokio::spawn(async move {
        signalled().await;
        anstream::eprintln!("canceling run {id}; once more leaves it to itself");
        if let Err(error) = client.cancel(&id).await {
            anstream::eprintln!("error: {error}");
        }
        signalled().await;
        std::process::exit(i32::from(super::error::CANCELED));
    });
}

/// A run of a server as it is shown here.
struct Shown {
    row: RunRow,
    /// Where it was last said to wait.
    place: Option<Place>,
    state: RunState,
    /// How it stands before anything has happened: what a generation begins from.
    begun: RunState,
    watcher: std::sync::Arc<dyn Watcher>,
}

impl Shown {
    async fn open(
        context: &Context,
        client: &Client,
        id: &str,
        id_only: bool,
    ) -> Result<Self, AppError> {
        let row = client.run(id).await?.row()?;
        let request: Request = serde_json::from_value(row.request.clone()).map_err(|error| {
            AppError::Files(format!("the run's request cannot be read: {error}"))
        })?;
        let plan = outline(&request)?;
        if id_only {
            anstream::println!("{id}");
        } else if !context.globals.quiet {
            let count = plan.steps().len();
            let plural = if count == 1 { "" } else { "s" };
            anstream::eprintln!("run {id}: {count} step{plural}");
        }
        let settings = Settings {
            parallel: request.parallel.max(1),
            wait_healthy: request.wait_healthy,
            timeout: None,
        };
        let watcher = live::watcher(&context.globals, &plan, id_only);
        let begun = RunState::new(plan, settings);
        Ok(Self {
            watcher,
            state: begun.clone(),
            begun,
            row,
            place: None,
        })
    }

    /// Says where the run waits, whenever that changes, and when it begins anew.
    fn stands(&mut self, row: RunRow, place: Option<Place>) {
        if row.generation > self.row.generation {
            self.state = self.begun.clone();
            let generation = row.generation;
            let note =
                format!("the worker was lost; the run begins anew as generation {generation}");
            self.watcher.note(&note);
        }
        if place != self.place
            && let Some(place) = &place
        {
            self.watcher.note(&format!("queued: {place}"));
        }
        (self.row, self.place) = (row, place);
    }

    fn line(&self, line: LineView) {
        self.watcher.line(LogLine {
            step: line.position,
            stream: match line.stream.as_str() {
                "stderr" => crate::ports::Stream::Stderr,
                _ => crate::ports::Stream::Stdout,
            },
            text: line.text.into(),
        });
    }

    /// Folds what was recorded there, as the worker did.
    fn events(&mut self, recorded: &[RecordedEvent]) -> Result<(), AppError> {
        let differs = |error: String| AppError::Remote {
            status: 200,
            message: format!("what the server recorded is not understood here: {error}"),
            hint: "Use the same version of careen here and there".to_owned(),
        };
        let mut events = Vec::new();
        for stored in recorded {
            let event: Event = serde_json::from_value(stored.body.clone())
                .map_err(|error| differs(error.to_string()))?;
            let at = stored.at.timestamp_millis();
            let advanced = advance(self.state.clone(), &event, at);
            self.state = advanced.map_err(|error| differs(error.to_string()))?.0;
            events.push(event);
        }
        let touched = self.state.take_touched();
        self.watcher.changed(&Change {
            at: recorded.last().map_or(0, |it| it.at.timestamp_millis()),
            events: &events,
            touched: &touched,
            state: &self.state,
        });
        Ok(())
    }

    fn outcome(self) -> Outcome {
        let verdict = self.state.verdict().cloned().unwrap_or(Verdict {
            status: self.row.status,
            reason: self.row.reason.clone(),
            step: None,
        });
        Outcome {
            run: self.row,
            state: self.state,
            verdict,
        }
    }
}
