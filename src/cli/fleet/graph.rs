//! `careen fleet graph`.

use std::{collections::BTreeSet, process::ExitCode};

use super::{
    super::{CliError, Context},
    gathered,
};
use crate::fleet::{Id, dot, json, mermaid, text};

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
    let gathered = gathered(context).await?;
    let fleet = &gathered.fleet;
    let ids: BTreeSet<Id> = match &args.around {
        Some(name) => fleet.graph().neighbourhood(gathered.find(name)?, args.most),
        None => fleet.graph().order().iter().copied().collect(),
    };
    let format = if context.globals.json {
        Format::Json
    } else {
        args.format
    };
    match format {
        Format::Text => anstream::print!("{}", text(fleet, &ids)),
        Format::Dot => anstream::print!("{}", dot(fleet, &ids)),
        Format::Mermaid => anstream::print!("{}", mermaid(fleet, &ids)),
        Format::Json => context.print_json(&json(fleet, &ids)),
    }
    Ok(ExitCode::SUCCESS)
}
