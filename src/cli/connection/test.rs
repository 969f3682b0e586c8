//! `careen connection test`.

use std::process::ExitCode;

use serde_json::json;

use super::super::{
    CliError, Context,
    error::{ERRORED, FAILED},
};
use crate::runner::{Examination, Finding};

/// The options of `careen connection test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A repository as HOST/REPOSITORY, a HOST alone, or the name of a connection
    #[arg(value_name = "HOST/REPO")]
    place: String,
    /// Use this connection, not the one that a run would take
    #[arg(short, long, value_name = "NAME")]
    connection: Option<String>,
    /// What must be allowed for the test to pass
    #[arg(long = "for", value_name = "RIGHT", default_value = "pull")]
    wanted: Wanted,
}

/// What a test can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    /// Reading
    Pull,
    /// Writing
    Push,
    /// Deleting
    Delete,
}

impl Wanted {
    fn word(self) -> &'static str {
        match self {
            Wanted::Pull => "pull",
            Wanted::Push => "push",
            Wanted::Delete => "delete",
        }
    }
}

/// Says what a credential may do. Exits 0 when what is wanted is allowed, 1 when it is denied, 3 when that could not
/// be found out.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let logins = context.logins()?;
    let app = context.app().await?;
    let found = app
        .test_connection(&args.place, args.connection.as_deref(), &logins)
        .await?;
    let wanted = match found.repository.is_empty() {
        true => "login",
        false => args.wanted.word(),
    };
    let passes = found.allows(wanted);
    if context.globals.json {
        let mut shown = json!(found);
        shown["ok"] = passes.into();
        context.print_json(&shown);
    } else if !context.globals.quiet {
        print(&found);
    }
    let reached = found.allows("reachable");
    Ok(match (passes, reached) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::from(FAILED),
        (false, false) => ExitCode::from(ERRORED),
    })
}

fn print(found: &Examination) {
    let line = |name: &str, text: &str| {
        anstream::println!("{name:<11} {}", text.replace(char::is_control, " "));
    };
    line("registry", &found.registry);
    if !found.repository.is_empty() {
        line("repository", &found.repository);
    }
    line("credential", &found.credential);
    for finding in &found.findings {
        line(finding.question, &words(finding));
    }
    let mut said: Vec<&str> = Vec::new();
    for finding in &found.findings {
        if !finding.hint.is_empty() && !said.contains(&finding.hint.as_str()) {
            said.push(&finding.hint);
            anstream::println!("help: {}", finding.hint);
        }
    }
}

fn words(finding: &Finding) -> String {
    let answer = match finding.answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    match finding.note.as_str() {
        "" => answer.to_owned(),
        note => format!("{answer}: {note}"),
    }
}
