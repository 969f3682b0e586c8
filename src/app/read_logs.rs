//! Reads the logs of a run, all steps as one or a single step, once or as they grow.

use std::{collections::BTreeMap, time::Duration};

use super::{App, AppError};
use crate::{
    logs::{Line, RunLines},
    ports::LogKey,
};

/// How often logs are looked at while they grow; a change in this process is seen at once.
const LOOK: Duration = Duration::from_millis(250);

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// Only this step, by its id.
    pub step: Option<String>,
    /// Only this attempt.
    pub attempt: Option<u32>,
    /// Only this generation; all of them, one after the other, when none is named.
    pub generation: Option<u32>,
    /// Begin at this line of each log, from 0.
    pub from: u64,
    /// Only the last lines of each log, so many.
    pub tail: Option<u64>,
    /// At most so many lines in all.
    pub limit: Option<u64>,
    /// Go on until the run has ended.
    pub follow: bool,
}

impl App {
    /// Reads lines in the order of time and hands each on with its step's id, until `take` wants no more.
    pub async fn read_logs(
        &self,
        run: &str,
        query: &LogQuery,
        mut take: impl FnMut(&str, &LogKey, &Line) -> bool,
    ) -> Result<(), AppError> {
        let mut names = self.step_names(run).await?;
        check_step(run, query, &names)?;
        let mut lines = self.begin(run, query, &names).await?;
        let mut left = query.limit.unwrap_or(u64::MAX);
        loop {
            // Looked at first: lines that are stored before the end is recorded are still read.
            let is_over = self.ports.store.run(run).await?.status.is_ended();
            if names.is_empty() {
                names = self.step_names(run).await?;
            }
            while let Some((key, line)) = lines.next().await? {
                if !is_wanted(query, &names, &key) {
                    continue;
                }
                let name = names.get(&key.step).map_or("?", String::as_str);
                if left == 0 || !take(name, &key, &line) {
                    return Ok(());
                }
                left -= 1;
            }
            if is_over || !query.follow {
                return Ok(());
            }
            // A wake-up only saves time.
            let _ = tokio::time::timeout(LOOK, lines.changed()).await;
        }
    }

    async fn step_names(&self, run: &str) -> Result<BTreeMap<u32, String>, AppError> {
        let steps = self.ports.store.steps(run).await?;
        Ok(steps.into_iter().map(|it| (it.step, it.id)).collect())
    }

    /// Puts each log at its first line to be read.
    async fn begin(
        &self,
        run: &str,
        query: &LogQuery,
        names: &BTreeMap<u32, String>,
    ) -> Result<RunLines, AppError> {
        let mut lines = RunLines::new(self.ports.frames.clone(), run);
        for log in self.ports.frames.logs(run).await? {
            let first = match query.tail {
                _ if !is_wanted(query, names, &log.key) => u64::MAX,
                Some(tail) => log.lines.saturating_sub(tail),
                None => query.from,
            };
            if first > 0 {
                lines = lines.begin_at(log.key, first);
            }
        }
        Ok(lines)
    }
}

fn is_wanted(query: &LogQuery, names: &BTreeMap<u32, String>, key: &LogKey) -> bool {
    let is_step = query.step.is_none() || names.get(&key.step) == query.step.as_ref();
    let is_generation = query.generation.is_none_or(|it| it == key.generation);
    is_step && is_generation && query.attempt.is_none_or(|it| it == key.attempt)
}

fn check_step(run: &str, query: &LogQuery, names: &BTreeMap<u32, String>) -> Result<(), AppError> {
    let Some(step) = &query.step else {
        return Ok(());
    };
    if names.is_empty() || names.values().any(|name| name == step) {
        return Ok(());
    }
    let known: Vec<&str> = names.values().map(String::as_str).collect();
    Err(AppError::usage(
        format!("run {run} has no step {step}"),
        format!("Its steps are {}", known.join(", ")),
    ))
}
