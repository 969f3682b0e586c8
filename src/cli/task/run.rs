//! `careen task run`.

use std::process::ExitCode;

use serde_json::Value;

use super::{
    super::{
        CliError, Context, remote,
        request::secret_value,
        run::{Terms, say_swept, show},
    },
    NameArg,
    definition::{absolute, pair},
};
use crate::{app::Overrides, spec::values};

/// The options of `careen task run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameArg,
    /// Take the files from here instead
    #[arg(short, long, value_name = "CONTEXT")]
    context: Option<String>,
    /// Take this task file, or Dockerfile, instead
    #[arg(short, long, value_name = "FILE")]
    file: Option<String>,
    /// Set a value, over the task's own
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Set a secret value, over the task's own
    #[arg(long, value_name = "NAME[=VALUE]")]
    set_secret: Vec<String>,
    /// Set a build argument, over the task's own
    #[arg(long, value_name = "NAME=VALUE")]
    arg: Vec<String>,
    /// Stop the build at this stage
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
}

/// Runs a task now and shows it live.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let overrides = overrides(&args)?;
    if let Some(client) = context.client()? {
        return remote::run_task(context, &client, args.name.name(), overrides).await;
    }
    let terms = Terms::of(context)?;
    let app = context.app().await?;
    let row = app.tasks.task(args.name.name()).await;
    let row = row.map_err(crate::app::AppError::from)?;
    let (mut request, secrets) = app.asked_request(&row, overrides).await?;
    say_swept(context, &app).await;
    if request.deferred.is_none() {
        app.read_alias_files(&mut request, &secrets, false).await?;
    }
    terms.heed_signals();
    let queued = app.queue(request, secrets, None).await?;
    show(context, &app, queued, terms).await
}

/// Reads what this run does differently.
fn overrides(args: &Args) -> Result<Overrides, CliError> {
    let mut overrides = Overrides {
        context: args.context.as_deref().map(absolute),
        file: args.file.clone(),
        target: args.target.clone(),
        ..Overrides::default()
    };
    let read = values::read(&[], &args.set, &[])
        .map_err(|error| CliError::usage(error.to_string(), ""))?;
    if let Value::Object(map) = read.map {
        overrides.values = map;
    }
    for word in &args.set_secret {
        let (name, value) = secret_value(word)?;
        overrides.secrets.insert(name, value);
    }
    for word in &args.arg {
        let (name, value) = pair(word, "--arg")?;
        overrides.arguments.insert(name, value);
    }
    Ok(overrides)
}
