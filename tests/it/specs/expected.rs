//! What `NAME.expected.yaml` says: how `NAME.yaml` is run and how it must end.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a spec is run and must end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// What is added to the command line.
    pub options: Options,
    /// Variables that `secret_from` may name.
    pub environment: BTreeMap<String, String>,
    /// The engine it needs; both will do when nothing is said.
    pub only_on: Option<EngineName>,
    /// The texts of the errors for which it is refused before anything runs.
    pub refused: Vec<String>,
    /// Texts of warnings, in any order. A spec that says none must have none.
    pub warned: Vec<String>,
    /// The run's status.
    pub run: Option<String>,
    /// A part of the reason for it.
    pub reason: Option<String>,
    /// How long the run takes.
    pub takes: Time,
    /// Its steps by id: all of them.
    pub steps: BTreeMap<String, ExpectedStep>,
    /// `a before b`: a ends before b starts; `a beside b`: there is a moment at which both are under way.
    pub order: Vec<String>,
    /// Files of the workspace at the end.
    pub files: BTreeMap<String, String>,
    /// What is in the registry afterwards.
    pub pushed: Vec<String>,
}

/// How long something takes, in seconds.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Time {
    /// Not less than this.
    pub at_least: Option<i64>,
    /// Less than this.
    pub under: Option<i64>,
}

/// The name of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    Memory,
    Docker,
}

/// Command line options; the file itself and the context come besides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The context, relative to `task-specs`; without one, there is none.
    pub context: Option<String>,
    pub set: Vec<String>,
    pub set_secret: Vec<String>,
    pub secret_from: Vec<String>,
    /// Values files, relative to the context.
    pub values: Vec<String>,
    /// Whether the run has a registry: that of the tests.
    pub registry: bool,
    pub allow: Vec<String>,
    /// Seconds.
    pub timeout: Option<u64>,
    pub parallel: Option<u32>,
    pub wait_healthy: bool,
    pub strict: bool,
}

/// How one step must end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedStep {
    /// Its status; succeeded when nothing is said.
    pub status: Option<String>,
    /// Whether its ending was ignored.
    pub ignored: bool,
    /// How many attempts were made; one when nothing is said, none for a step that was skipped.
    pub attempts: Option<u32>,
    /// The exit code.
    pub exit: Option<i64>,
    /// A part of the reason.
    pub reason: Option<String>,
    /// Parts of lines that the log holds in this order.
    pub log: Vec<String>,
    /// All lines of the log.
    pub log_is: Option<Vec<String>>,
    /// What no line of the log may hold.
    pub log_lacks: Vec<String>,
    /// How long it takes.
    pub takes: Time,
    /// How the engine in memory lets it behave.
    pub fake: Fake,
}

/// How a step's containers behave on the engine in memory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fake {
    /// The exit code; that of `exit` when nothing is said.
    pub exit: Option<i64>,
    /// How long it runs, in milliseconds; a tenth of a second when nothing is said.
    pub sleep: Option<u64>,
    /// What it writes; what the log must hold when nothing is said.
    pub output: Option<String>,
    /// How many starts fail before one succeeds.
    pub fail_times: Option<u32>,
    pub out_of_memory: bool,
    pub start_error: Option<i64>,
    /// A file that it writes, as `PATH=TEXT`.
    pub file: Option<String>,
}

impl ExpectedStep {
    /// The status that it must have.
    pub fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("succeeded")
    }

    /// How many attempts it must have made.
    pub fn attempts(&self) -> u32 {
        let usual = if self.status() == "skipped" { 0 } else { 1 };
        self.attempts.unwrap_or(usual)
    }
}
