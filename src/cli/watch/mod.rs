//! `careen watch`: runs a task file again whenever a file of its folder is saved.

mod changes;

use std::{path::PathBuf, process::ExitCode};

use tokio_util::sync::CancellationToken;

use super::{
    CliError, Context,
    request::RequestArgs,
    run::{Terms, say_swept, show, signalled},
};
use crate::app::App;

use changes::Changes;

/// The options of `careen watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    request: RequestArgs,
}

/// Runs once, and again after each change, until a signal comes. A change while a run is under way cancels that run.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let folder = folder(&args)?;
    let app = context.app().await?;
    say_swept(context, &app).await;
    let mut changes = Changes::of(&folder, &context.settings.own_paths())?;
    loop {
        let cancel = CancellationToken::new();
        let running = once(context, &app, (&args, cancel.clone()));
        tokio::pin!(running);
        let mut is_running = true;
        loop {
            tokio::select! {
                ended = &mut running, if is_running => {
                    is_running = false;
                    say(context, ended);
                }
                file = changes.next() => {
                    cancel.cancel();
                    if is_running {
                        // It stops and removes its containers before the next one begins.
                        say(context, running.await);
                    }
                    anstream::eprintln!("{file} was saved");
                    break;
                }
                () = signalled() => {
                    cancel.cancel();
                    if is_running {
                        say(context, running.await);
                    }
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }
}

fn folder(args: &Args) -> Result<PathBuf, CliError> {
    let word = args.request.context.as_deref().unwrap_or(".");
    std::fs::canonicalize(word).map_err(|error| {
        CliError::usage(
            format!("{word} cannot be watched: {error}"),
            "Name a folder of this machine",
        )
    })
}

/// Reads the task file as it is now and runs it.
async fn once(
    context: &Context,
    app: &App,
    (args, cancel): (&Args, CancellationToken),
) -> Result<ExitCode, CliError> {
    let wanted = args.request.read(context, app).await?;
    let terms = Terms {
        cancel,
        ..Terms::of(context)?
    };
    let queued = app.queue(wanted.request, wanted.secrets, None).await?;
    show(context, app, queued, terms).await
}

/// A task file that is wrong is no reason to stop watching: the next save may mend it.
fn say(context: &Context, ended: Result<ExitCode, CliError>) {
    if let Err(error) = ended {
        error.report(&context.globals);
    }
    if !context.globals.quiet {
        anstream::eprintln!("watching; Ctrl-C ends it");
    }
}
