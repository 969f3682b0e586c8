//! `careen plan`: shows what a task file would do, without doing it.

use std::process::ExitCode;

use clap::ValueEnum;

use super::{CliError, Context, request::RequestArgs};
use crate::plan::{self, Format};

/// How to print the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// A list by level
    Text,
    /// Graphviz
    Dot,
    /// A Mermaid flowchart
    Mermaid,
    /// JSON
    Json,
}

/// The options of `careen plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// How to print the plan
    #[arg(long, value_enum)]
    format: Option<Shape>,
}

/// Prints the plan on standard output.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let app = context.passing_app()?;
    let wanted = args.request.for_file_argument().read(context, &app).await?;
    let prepared = app.prepare(&wanted.request, &wanted.secrets)?;
    let fallback = if context.globals.json {
        Shape::Json
    } else {
        Shape::Text
    };
    let format = match args.format.unwrap_or(fallback) {
        Shape::Text => Format::Text,
        Shape::Dot => Format::Dot,
        Shape::Mermaid => Format::Mermaid,
        Shape::Json => Format::Json,
    };
    anstream::print!("{}", plan::show(&prepared.plan, format));
    Ok(ExitCode::SUCCESS)
}
