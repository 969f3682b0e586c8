//! `careen bases`: the base images that tasks stand on, and what happened when they moved.

mod history;
mod list;

use std::process::ExitCode;

use super::{CliError, Context};
use crate::app::BaseDesk;

/// What to see of base images.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List what tasks stand on, what was last seen of it, and when it is looked at next
    List(list::Args),
    /// List what was decided when bases moved, and why
    History(history::Args),
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::List(args) => list::run(context, args).await,
        Command::History(args) => history::run(context, args).await,
    }
}

/// Opens the desk where base images are looked at.
async fn desk(context: &Context) -> Result<Box<dyn BaseDesk>, CliError> {
    match context.client()? {
        Some(client) => Ok(Box::new(client)),
        None => Ok(Box::new(context.app().await?)),
    }
}

/// As much of a digest as tells it apart; a tag stays whole.
fn short(content: &str) -> String {
    match content.strip_prefix("sha256:") {
        Some(hex) => format!("sha256:{}", &hex[..hex.len().min(12)]),
        None => content.to_owned(),
    }
}
