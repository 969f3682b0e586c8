//! `careen task update`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    NameArg,
    definition::DefinitionArgs,
    show::print,
};
use crate::{app::TaskWish, ports::Expected};

/// The options of `careen task update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameArg,
    #[command(flatten)]
    definition: DefinitionArgs,
}

/// Changes a task; one that someone else changed meanwhile is left as it is.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let desk = context.desk().await?;
    let row = desk.get(args.name.name()).await?;
    let mut definition = row.definition;
    let secrets = args.definition.apply(&mut definition)?;
    let wish = TaskWish {
        definition,
        secrets,
        expected: Expected::Version(row.version),
        manifest: None,
    };
    let row = desk.put(wish).await?;
    print(context, &row);
    Ok(ExitCode::SUCCESS)
}
