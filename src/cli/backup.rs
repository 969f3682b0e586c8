//! `careen backup` and `careen restore`: all that careen keeps in one file, and back.

use std::{path::PathBuf, process::ExitCode};

use super::{CliError, Context, confirm};
use crate::app::{BackupFolder, BackupHead};

/// What stands beside the database.
const FOLDERS: [&str; 3] = ["logs", "files", "contexts"];
/// The folder of uploaded contexts, and of large parts of logs over Postgres.
const OBJECTS: &str = "objects";

/// The options of `careen backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write, a tar archive packed with zstd
    file: PathBuf,
}

/// The options of `careen restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The file that careen backup wrote
    file: PathBuf,
    /// Do not ask: all that is recorded now goes
    #[arg(long)]
    yes: bool,
}

/// Writes a backup, whatever else is under way, and says what is in it and what is not.
pub async fn back_up(context: &Context, args: BackupArgs) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let head = app.back_up(parts(context), &args.file).await?;
    report(context, &head, &format!("wrote {}", args.file.display()));
    if !context.globals.json && !context.globals.quiet {
        for line in left_out(context) {
            anstream::println!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup in the place of what is recorded now.
pub async fn restore(context: &Context, args: RestoreArgs) -> Result<ExitCode, CliError> {
    let question = "All that is recorded now is replaced by the backup. Go on?";
    if !args.yes && !confirm(question)? {
        return Ok(ExitCode::FAILURE);
    }
    let app = context.app().await?;
    let before = app.ports.store.store_id().to_owned();
    let head = app.restore(parts(context), &args.file).await?;
    report(context, &head, &format!("restored {}", args.file.display()));
    if head.store != before && !context.globals.quiet {
        anstream::eprintln!(
            "the backup is of another store: start servers and workers that are at work anew"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The kind of the database, and the folders beside it.
fn parts(context: &Context) -> (&'static str, Vec<BackupFolder>) {
    let settings = &context.settings;
    let data = settings.data_folder();
    let mut folders: Vec<BackupFolder> = FOLDERS
        .map(|name| BackupFolder {
            name: name.to_owned(),
            path: data.join(name),
        })
        .into();
    if !settings.objects().contains("://") {
        folders.push(BackupFolder {
            name: OBJECTS.to_owned(),
            path: settings.objects().into(),
        });
    }
    match settings.postgres() {
        Some(_) => ("postgres", folders),
        None => ("sqlite", folders),
    }
}

/// What has to be kept in another way.
fn left_out(context: &Context) -> Vec<String> {
    let settings = &context.settings;
    let key = settings.key_file.value.display();
    let mut lines = vec![format!(
        "not in it: the key {key}, without which no secret opens; keep a copy elsewhere"
    )];
    if settings.objects().contains("://") {
        let objects = settings.objects();
        lines.push(format!(
            "not in it: uploaded contexts and large parts of logs, which stay at {objects}"
        ));
    }
    lines
}

fn report(context: &Context, head: &BackupHead, done: &str) {
    if context.globals.json {
        context.print_json(&serde_json::json!(head));
    } else if !context.globals.quiet {
        let folders = head.folders.join(", ");
        anstream::println!(
            "{done}: the {} database as of {}, with {folders}",
            head.database,
            head.at.format("%Y-%m-%d %H:%M:%S UTC")
        );
    }
}
