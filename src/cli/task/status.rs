//! `careen task enable` and `careen task disable`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    show::print,
};
use crate::{app::TaskWish, ports::Expected, tasks::Status};

/// Lets a task be run, or keeps it from it.
pub async fn run(context: &Context, name: &str, status: Status) -> Result<ExitCode, CliError> {
    let desk = context.desk().await?;
    let row = desk.get(name).await?;
    let mut definition = row.definition;
    definition.status = status;
    let wish = TaskWish {
        definition,
        secrets: Default::default(),
        expected: Expected::Version(row.version),
        manifest: row.manifest,
    };
    let row = desk.put(wish).await?;
    print(context, &row);
    Ok(ExitCode::SUCCESS)
}
