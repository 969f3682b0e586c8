//! Reads the logs of a run, all steps as one or a single step, once or as they grow.

use std::{collections::BTreeMap, time::Duration};

use super::{App, AppError};
use crate::{
    logs::{Merged, MergedLine, count_lines},
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
        mut take: impl FnMut(&str, &MergedLine) -> bool,
    ) -> Result<(), AppError> {
        let mut changes = self.ports.frames.changes(run);
        let mut read: BTreeMap<LogKey, u64> = BTreeMap::new();
        let mut left = query.limit.unwrap_or(u64::MAX);
        let mut names = BTreeMap::new();
        loop {
            // Looked at first: lines that are written before the end is recorded are still read.
            let is_over = self.ports.store.run(run).await?.status.is_ended();
            for step in self.ports.store.steps(run).await? {
                names.insert(step.step, step.id);
            }
            let logs = self.wanted_logs(run, query, &names, &read).await?;
            let mut merged = Merged::open(self.ports.frames.clone(), logs).await?;
            while let Some(line) = merged.next().await? {
                let name = names.get(&line.key.step).map_or("?", String::as_str);
                if left == 0 || !take(name, &line) {
                    return Ok(());
                }
                left -= 1;
            }
            read.extend(merged.positions());
            if is_over || !query.follow {
                return Ok(());
            }
            // A wake-up only saves time.
            let _ = tokio::time::timeout(LOOK, changes.changed()).await;
        }
    }

    /// The logs to read, each from where it was read to.
    async fn wanted_logs(
        &self,
        run: &str,
        query: &LogQuery,
        names: &BTreeMap<u32, String>,
        read: &BTreeMap<LogKey, u64>,
    ) -> Result<Vec<(LogKey, u64)>, AppError> {
        if let Some(step) = &query.step
            && !names.is_empty()
            && !names.values().any(|name| name == step)
        {
            let known: Vec<&str> = names.values().map(String::as_str).collect();
            return Err(AppError::usage(
                format!("run {run} has no step {step}"),
                format!("Its steps are {}", known.join(", ")),
            ));
        }
        let mut logs = Vec::new();
        for key in self.ports.frames.logs(run).await? {
            let is_step = query.step.is_none() || names.get(&key.step) == query.step.as_ref();
            let is_attempt = query.attempt.is_none_or(|it| it == key.attempt);
            if !is_step || !is_attempt {
                continue;
            }
            let from = match (read.get(&key), query.tail) {
                (Some(at), _) => *at,
                (None, Some(tail)) => {
                    let count = count_lines(self.ports.frames.as_ref(), &key).await?;
                    count.saturating_sub(tail)
                }
                (None, None) => query.from,
            };
            logs.push((key, from));
        }
        Ok(logs)
    }
}
