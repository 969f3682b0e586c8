//! `careen fleet graph`.

use std::process::ExitCode;

use serde_json::Value;

use super::{
    super::{CliError, Context},
    desk,
};
use crate::app::GraphFormat;

/// The options of `careen fleet graph`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only what is around this task or image
    #[arg(long, value_name = "NAME")]
    around: Option<String>,
    /// At most so many of what is around it
    #[arg(long, value_name = "N", default_value_t = 200)]
    most: usize,
}

/// Ways to write a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Level by level
    Text,
    /// For Graphviz
    Dot,
    /// For Markdown that draws Mermaid
    Mermaid,
    /// For programs
    Json,
}

/// Prints the graph.
pub async fn run(context: &Context, args: &Args) -> Result<ExitCode, CliError> {
    let format = match context.globals.json {
        true => GraphFormat::Json,
        false => args.format.into(),
    };
    let around = args.around.as_deref().map(|it| (it, args.most));
    let written = desk(context).await?.graph_of(format, around).await?;
    match format {
        GraphFormat::Json => {
            let read: Value = serde_json::from_str(&written).unwrap_or_default();
            context.print_json(&read);
        }
        GraphFormat::Text | GraphFormat::Dot | GraphFormat::Mermaid => {
            anstream::print!("{written}")
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl From<Format> for GraphFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => GraphFormat::Text,
            Format::Dot => GraphFormat::Dot,
            Format::Mermaid => GraphFormat::Mermaid,
            Format::Json => GraphFormat::Json,
        }
    }
}
