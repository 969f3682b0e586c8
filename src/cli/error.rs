//! Errors at the edge: printed once, with what to try, and an exit code that means something.

use std::{io::IsTerminal, process::ExitCode};

use serde_json::json;

use super::Globals;
use crate::{
    app::AppError,
    engine::RunStatus,
    text::{Source, render, to_json},
};

/// A step's command said no.
pub const FAILED: u8 = 1;
/// The command line or the task file is wrong.
pub const USAGE: u8 = 2;
/// careen, the engine, a registry or the disk could not.
pub const ERRORED: u8 = 3;
/// Over its time.
pub const TIMED_OUT: u8 = 4;
/// Someone stopped it.
pub const CANCELED: u8 = 130;

/// What a command could not do.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A use case failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// Someone stopped it before a run was recorded.
    #[error("canceled")]
    Canceled,
    /// The command line is wrong.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to try.
        hint: String,
    },
}

impl CliError {
    /// Makes an error about the command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        CliError::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Prints the error and returns its exit code.
    pub fn report(&self, globals: &Globals) -> ExitCode {
        if globals.json {
            anstream::println!("{:#}", self.to_json());
        } else {
            self.print();
        }
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            CliError::Usage { .. } => USAGE,
            CliError::Canceled => CANCELED,
            CliError::App(error) if error.is_users() => USAGE,
            CliError::App(_) => ERRORED,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CliError::App(error) => error.hint(),
            CliError::Canceled => None,
            CliError::Usage { hint, .. } => (!hint.is_empty()).then(|| hint.clone()),
        }
    }

    fn print(&self) {
        use anstyle::{AnsiColor, Style};
        if let CliError::App(AppError::TaskFile {
            file,
            text,
            findings,
        }) = self
        {
            let styled = std::io::stderr().is_terminal();
            anstream::eprint!("{}", render(&Source { name: file, text }, findings, styled));
            return;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        anstream::eprintln!("{red}error{red:#}: {self}");
        if let Some(hint) = self.hint() {
            anstream::eprintln!("{cyan}help{cyan:#}: {hint}");
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let mut error = json!({ "message": self.to_string(), "hint": self.hint() });
        if let CliError::App(AppError::TaskFile {
            file,
            text,
            findings,
        }) = self
        {
            error["findings"] = to_json(&Source { name: file, text }, findings);
        }
        json!({ "error": error })
    }
}

/// The exit code that tells how a run ended.
pub fn exit_code(status: RunStatus) -> ExitCode {
    match status {
        RunStatus::Succeeded => ExitCode::SUCCESS,
        RunStatus::Failed => ExitCode::from(FAILED),
        RunStatus::TimedOut => ExitCode::from(TIMED_OUT),
        RunStatus::Canceled => ExitCode::from(CANCELED),
        RunStatus::Errored | RunStatus::Queued | RunStatus::Preparing | RunStatus::Running => {
            ExitCode::from(ERRORED)
        }
    }
}
