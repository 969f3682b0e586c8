//! `careen backup` and `careen restore`: all that careen keeps in one file, and back.

use std::{path::PathBuf, process::ExitCode};

use super::{CliError, Context, confirm};
use crate::app::{AppError, BackupFolder, BackupHead, BackupParts};

/// What stands beside the database.
const FOLDERS: [&str; 3] = ["logs", "files", "contexts"];

/// The options of `careen backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write, a tar archive packed with zstd
    file: PathBuf,
    /// Put the key in it, too: whoever has the file can then open all secrets
    #[arg(long)]
    with_key: bool,
}

/// The options of `careen restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The file that careen backup wrote
    file: PathBuf,
    /// Do not ask: all that is recorded now goes
    #[arg(long)]
    yes: bool,
    /// Put the key of the backup in its place, too, if none is there
    #[arg(long)]
    with_key: bool,
}

/// Writes a backup, whatever else is under way, and says what is in it and what is not.
pub async fn back_up(context: &Context, args: BackupArgs) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let head = app
        .back_up(parts(context, args.with_key)?, &args.file)
        .await?;
    report(context, &head, &format!("wrote {}", args.file.display()));
    if !context.globals.json && !context.globals.quiet {
        anstream::println!("{}", left_out(context, &head));
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
    let head = app
        .restore(parts(context, args.with_key)?, &args.file)
        .await?;
    report(context, &head, &format!("restored {}", args.file.display()));
    if head.store != before && !context.globals.quiet {
        anstream::eprintln!(
            "the backup is of another store: start servers and workers that are at work anew"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// What belongs into a backup, or comes out of one.
fn parts(context: &Context, with_key: bool) -> Result<BackupParts, CliError> {
    let settings = &context.settings;
    if with_key && std::env::var_os("CAREEN_KEY").is_some() {
        return Err(AppError::usage(
            "the key comes from CAREEN_KEY, not from a file",
            "Keep the value of CAREEN_KEY where you keep passwords, and leave --with-key out",
        )
        .into());
    }
    let data = settings.data_folder();
    let folder = |name: &str| BackupFolder {
        name: name.to_owned(),
        path: data.join(name),
    };
    Ok(BackupParts {
        database: match settings.postgres() {
            Some(_) => "postgres",
            None => "sqlite",
        },
        folders: FOLDERS.map(folder).into(),
        key: with_key.then(|| settings.key_file.value.clone()),
    })
}

/// Says what has to be kept in another way.
fn left_out(context: &Context, head: &BackupHead) -> String {
    let key = context.settings.key_file.value.display();
    match head.key {
        true => "with the key: whoever has the file can open all secrets".to_owned(),
        false => format!(
            "not in it: the key {key}, without which no secret opens; keep a copy elsewhere, or say --with-key"
        ),
    }
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
