//! How a run ended, as its record tells it; the same for every engine.

use std::{collections::BTreeMap, path::Path};

use careen::app::{App, LogQuery};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// How a spec ended.
#[derive(Debug, Clone)]
pub enum Seen {
    /// It was refused, with this text.
    Refused(String),
    /// It ran.
    Ran(Box<SeenRun>),
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct SeenRun {
    pub status: String,
    pub reason: String,
    /// The exit code of `careen run`.
    pub exit: Option<i32>,
    pub warnings: Vec<String>,
    pub seconds: f64,
    pub steps: Vec<SeenStep>,
    /// The wanted files that were there.
    pub files: BTreeMap<String, String>,
    pub pushed: Vec<String>,
    /// Containers, networks and volumes of the run that are still there.
    pub left_over: Vec<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Default)]
pub struct SeenStep {
    pub id: String,
    pub status: String,
    pub ignored: bool,
    pub attempts: u32,
    pub exit: Option<i64>,
    pub reason: String,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub log: Vec<String>,
}

impl SeenRun {
    /// Reads the record of a run.
    pub async fn read(app: &App, run: &str) -> SeenRun {
        let row = app.ports.store.run(run).await.expect("the run");
        let mut logs = read_logs(app, run).await;
        let steps = app.ports.store.steps(run).await.expect("the steps");
        let steps = steps.into_iter().map(|step| SeenStep {
            log: logs.remove(&step.id).unwrap_or_default(),
            id: step.id,
            status: step.status.as_str().to_owned(),
            ignored: step.ignored,
            attempts: step.attempts,
            exit: step.exit_code,
            reason: step.reason.unwrap_or_default(),
            started_at: step.started_at,
            ended_at: step.ended_at,
        });
        SeenRun {
            status: row.status.as_str().to_owned(),
            reason: row.reason.unwrap_or_default(),
            seconds: seconds(row.started_at, row.ended_at),
            steps: steps.collect(),
            ..SeenRun::default()
        }
    }

    /// Finds a step by its id.
    pub fn step(&self, id: &str) -> Option<&SeenStep> {
        self.steps.iter().find(|step| step.id == id)
    }
}

impl SeenStep {
    /// How long it took.
    pub fn seconds(&self) -> f64 {
        seconds(self.started_at, self.ended_at)
    }
}

fn seconds(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> f64 {
    let (Some(start), Some(end)) = (start, end) else {
        return 0.0;
    };
    (end - start).num_milliseconds() as f64 / 1000.0
}

/// The lines of every step, those of its attempts one after the other.
async fn read_logs(app: &App, run: &str) -> BTreeMap<String, Vec<String>> {
    let mut logs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let keep = |step: &str, _: &careen::ports::LogKey, line: &careen::logs::Line| {
        let text = String::from_utf8_lossy(&line.text).into_owned();
        logs.entry(step.to_owned()).or_default().push(text);
        true
    };
    let read = app.read_logs(run, &LogQuery::default(), keep).await;
    read.expect("the logs");
    logs
}

/// The files that were saved to these folders, by the path that was asked for.
pub fn read_files(saved: &[(String, std::path::PathBuf)]) -> BTreeMap<String, String> {
    let read = |(path, folder): &(String, std::path::PathBuf)| {
        let name = Path::new(path).file_name()?;
        let bytes = std::fs::read(folder.join(name)).ok()?;
        Some((path.clone(), String::from_utf8_lossy(&bytes).into_owned()))
    };
    saved.iter().filter_map(read).collect()
}

/// The errors among findings, as `line 3: what is wrong; what to try`.
pub fn findings_text(findings: &Value) -> String {
    let errors = findings.as_array().into_iter().flatten();
    let errors = errors.filter(|finding| finding["level"] == "error");
    let text = |finding: &Value| {
        let (line, message) = (&finding["line"], finding["message"].as_str());
        let help = finding["help"].as_array().into_iter().flatten();
        let help: Vec<&str> = help.filter_map(Value::as_str).collect();
        let message = message.unwrap_or_default();
        format!("line {line}: {message}; {}", help.join("; "))
    };
    errors.map(text).collect::<Vec<_>>().join("\n")
}
