//! `careen task create`.

use std::process::ExitCode;

use super::{
    super::{CliError, Context},
    NameArg,
    definition::DefinitionArgs,
    show::print,
};
use crate::{app::TaskWish, ports::Expected, tasks::Definition};

/// The options of `careen task create`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameArg,
    #[command(flatten)]
    definition: DefinitionArgs,
}

/// Stores a new task.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let mut definition = Definition::named(args.name.name());
    let secrets = args.definition.apply(&mut definition)?;
    let desk = context.desk().await?;
    let wish = TaskWish {
        definition,
        secrets,
        expected: Expected::Nothing,
        manifest: None,
    };
    let row = desk.put(wish).await?;
    print(context, &row);
    Ok(ExitCode::SUCCESS)
}
