//! `careen timer enable` and `careen timer disable`.

use std::process::ExitCode;

use super::super::{CliError, Context};
use crate::{app::TaskWish, ports::Expected, tasks::Status};

/// Names a timer on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// The timer; all of the task's when none is named
    #[arg(value_name = "TIMER")]
    timer: Option<String>,
}

/// Sets whether timers may start runs; the task gets a new version.
pub async fn run(context: &Context, args: Args, status: Status) -> Result<ExitCode, CliError> {
    let desk = context.desk().await?;
    let row = desk.get(&args.task).await?;
    let mut definition = row.definition;
    let is_meant = |name: &str| args.timer.as_deref().is_none_or(|it| it == name);
    let timers = definition.triggers.timer.iter_mut();
    let mut changed = 0;
    for timer in timers.filter(|it| is_meant(&it.name)) {
        timer.status = status;
        changed += 1;
    }
    if changed == 0 {
        return Err(CliError::usage(
            format!("task {} has no such timer", args.task),
            format!("careen task show {} shows what it has", args.task),
        ));
    }
    let wish = TaskWish {
        definition,
        secrets: Default::default(),
        expected: Expected::Version(row.version),
        manifest: row.manifest,
    };
    desk.put(wish).await?;
    Ok(ExitCode::SUCCESS)
}
