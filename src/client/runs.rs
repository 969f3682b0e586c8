//! Runs of a server.

use reqwest::Method;
use serde::Deserialize;

use super::Client;
use crate::{
    app::{AppError, LogQuery, RunWish},
    ports::{AttemptRow, Place, RecordedEvent, RunFilter, RunRow, StepRow},
    server::{LogPage, Page, RunTask},
};

/// A run with its steps and attempts.
#[derive(Debug, Deserialize)]
pub struct Shown {
    /// Where it stands in its queue, while it waits.
    pub place: Option<Place>,
    /// The run.
    #[serde(flatten)]
    pub run: RunRowText,
    /// Its steps.
    pub step_list: Vec<StepRow>,
    /// Their attempts.
    pub attempts: Vec<AttemptRow>,
}

/// The fields of a run's row, whatever else stands beside them.
#[derive(Debug, Deserialize)]
pub struct RunRowText(serde_json::Map<String, serde_json::Value>);

#[derive(Deserialize)]
struct Queued {
    id: String,
}

impl Shown {
    /// The run's row.
    pub fn row(&self) -> Result<RunRow, AppError> {
        row(self.run.0.clone().into())
    }
}

impl Client {
    /// Queues a run and returns its id; `key` makes a second request an echo of the first.
    pub async fn queue_run(&self, wish: &RunWish, key: &str) -> Result<String, AppError> {
        let request = self.request(Method::POST, &["runs"]).json(wish);
        let queued: Queued = self.ask(request.header("idempotency-key", key)).await?;
        Ok(queued.id)
    }

    /// Queues a run of a stored task and returns its id.
    pub async fn run_task(
        &self,
        task: &str,
        wish: &RunTask,
        key: &str,
    ) -> Result<String, AppError> {
        let request = self
            .request(Method::POST, &["tasks", task, "runs"])
            .json(wish);
        let queued: Queued = self.ask(request.header("idempotency-key", key)).await?;
        Ok(queued.id)
    }

    /// Lists runs, newest first, with where queued ones stand.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<(RunRow, Option<Place>)>, AppError> {
        let parameters = [
            ("limit", Some(filter.limit.clamp(1, 500).to_string())),
            ("status", filter.status.map(|it| it.as_str().to_owned())),
            ("name", filter.name.clone()),
            ("places", Some("true".to_owned())),
        ];
        let request = self.request_with(Method::GET, &["runs"], &parameters);
        let page: Page<serde_json::Value> = self.ask(request).await?;
        let placed = |mut value: serde_json::Value| {
            let place = serde_json::from_value(value["place"].take()).unwrap_or_default();
            Ok((row(value)?, place))
        };
        page.items.into_iter().map(placed).collect()
    }

    /// Reads a run with its steps and attempts.
    pub async fn run(&self, run: &str) -> Result<Shown, AppError> {
        self.ask(self.request(Method::GET, &["runs", run])).await
    }

    /// Asks for a run to be stopped.
    pub async fn cancel(&self, run: &str) -> Result<(), AppError> {
        let request = self.request(Method::POST, &["runs", run, "cancel"]);
        self.send(request).await.map(drop)
    }

    /// Queues a recorded request again and returns the new run's id.
    pub async fn rerun(&self, run: &str) -> Result<String, AppError> {
        let request = self.request(Method::POST, &["runs", run, "rerun"]);
        let queued: Queued = self.ask(request).await?;
        Ok(queued.id)
    }

    /// Queues a run that did not succeed again, keeping what is still there, and returns the new run's id.
    pub async fn retry(&self, run: &str) -> Result<String, AppError> {
        let request = self.request(Method::POST, &["runs", run, "retry"]);
        let queued: Queued = self.ask(request).await?;
        Ok(queued.id)
    }

    /// Reads stored lines.
    pub async fn logs(&self, run: &str, query: &LogQuery) -> Result<LogPage, AppError> {
        let number = |it: u64| Some(it.to_string());
        let parameters = [
            ("step", query.step.clone()),
            ("attempt", query.attempt.map(|it| it.to_string())),
            ("generation", query.generation.map(|it| it.to_string())),
            ("from", number(query.from + 1)),
            ("tail", query.tail.and_then(number)),
            ("limit", number(query.limit.unwrap_or(u64::MAX))),
        ];
        let request = self.request_with(Method::GET, &["runs", run, "logs"], &parameters);
        self.ask(request).await
    }
}

/// Reads a run as the API shows it.
pub(super) fn row(value: serde_json::Value) -> Result<RunRow, AppError> {
    serde_json::from_value(value).map_err(unreadable)
}

/// Reads events as the API sends them.
pub(super) fn events(value: serde_json::Value) -> Result<Vec<RecordedEvent>, AppError> {
    serde_json::from_value(value).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> AppError {
    AppError::Remote {
        status: 200,
        message: format!("the server's answer cannot be read: {error}"),
        hint: "Use the same version of careen here and there".to_owned(),
    }
}
