//! `careen check`: says everything that is wrong with a task file.

use std::{io::IsTerminal, process::ExitCode};

use serde_json::json;

use super::{CliError, Context, error::USAGE, request::RequestArgs};
use crate::{
    app::check,
    text::{Source, render, to_json},
};

/// The options of `careen check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    request: RequestArgs,
}

/// Checks a file; errors are exit code 2, warnings alone are none.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.passing_app()?;
    let wanted = args.request.for_file_argument().read(context, &app).await?;
    let findings = check(&wanted.request, &wanted.secrets);
    let source = Source {
        name: &wanted.request.file,
        text: &wanted.request.text,
    };
    if context.globals.json {
        context.print_json(&json!({
            "file": wanted.request.file,
            "ok": !findings.has_errors(),
            "findings": to_json(&source, &findings),
        }));
    } else {
        let styled = std::io::stderr().is_terminal();
        anstream::eprint!("{}", render(&source, &findings, styled));
        if findings.is_empty() && !context.globals.quiet {
            anstream::eprintln!("{}: nothing wrong", wanted.request.file);
        }
    }
    Ok(if findings.has_errors() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    })
}
