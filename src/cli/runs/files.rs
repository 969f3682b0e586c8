//! `careen runs files`.

use std::{path::PathBuf, process::ExitCode};

use serde_json::{Value, json};

use super::{
    super::{CliError, Context},
    RunArg,
};

/// The options of `careen runs files`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
    /// Fetch these files; without any, the saved files are listed
    paths: Vec<PathBuf>,
    /// The folder to fetch into
    #[arg(long, default_value = ".", value_name = "DIR")]
    to: PathBuf,
}

/// Lists saved files, or fetches some.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.app().await?;
    let id = args.run.find(&app).await?;
    if args.paths.is_empty() {
        let files = app.saved_files(&id)?;
        if context.globals.json {
            let rows: Vec<Value> = files
                .iter()
                .map(|it| json!({ "path": it.path, "bytes": it.bytes }))
                .collect();
            context.print_json(&rows.into());
        } else {
            for file in files {
                anstream::println!("{:>12}  {}", file.bytes, file.path.display());
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    for path in &args.paths {
        let target = app.fetch_file(&id, path, &args.to)?;
        anstream::println!("{}", target.display());
    }
    Ok(ExitCode::SUCCESS)
}
