//! `careen completions`: a completion script for a shell.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// The options of `careen completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) -> ExitCode {
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        "careen",
        &mut std::io::stdout(),
    );
    ExitCode::SUCCESS
}
