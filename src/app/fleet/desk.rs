//! What people ask of the fleet, on this machine's database or through a server.

use std::str::FromStr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    super::{App, AppError, task_desk::local_user},
    RolloutChange, RolloutView, RolloutWish, WhyView,
};
use crate::fleet::{Estimate, Id, Report, dot, estimate, json, mermaid, text};

/// Ways to write a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// Level by level.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown that draws Mermaid.
    Mermaid,
    /// For programs.
    Json,
}

impl GraphFormat {
    /// The word used in the API and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            GraphFormat::Text => "text",
            GraphFormat::Dot => "dot",
            GraphFormat::Mermaid => "mermaid",
            GraphFormat::Json => "json",
        }
    }
}

impl FromStr for GraphFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [
            GraphFormat::Text,
            GraphFormat::Dot,
            GraphFormat::Mermaid,
            GraphFormat::Json,
        ];
        let found = all.into_iter().find(|it| it.as_str() == word);
        found.ok_or_else(|| format!("{word:?} is none of: text, dot, mermaid, json"))
    }
}

/// Where the fleet is looked at and rollouts are asked for.
#[async_trait]
pub trait FleetDesk: Send + Sync {
    /// Writes the graph, or at most so many nodes around one.
    async fn graph_of(
        &self,
        format: GraphFormat,
        around: Option<(&str, usize)>,
    ) -> Result<String, AppError>;
    /// Lists tasks that are not what they should be, or all, as programs read them.
    async fn status_of(&self, all: bool) -> Result<Vec<Value>, AppError>;
    /// Says what would be built if these moved, or what is stale, and how long that would take.
    async fn plan_of(
        &self,
        bases: &[String],
        max_parallel: Option<u32>,
    ) -> Result<Estimate, AppError>;
    /// Reports on every task; times count patches since a moment.
    async fn report_of(&self, since: Option<DateTime<Utc>>) -> Result<Report, AppError>;
    /// Explains a run, a task or an image.
    async fn why_of(&self, word: &str) -> Result<WhyView, AppError>;
    /// Begins a rollout.
    async fn begin(&self, wish: &RolloutWish) -> Result<RolloutView, AppError>;
    /// Lists rollouts, newest first.
    async fn rollouts_of(&self, only_open: bool, limit: u32) -> Result<Vec<RolloutView>, AppError>;
    /// Shows a rollout.
    async fn rollout_of(&self, id: &str) -> Result<RolloutView, AppError>;
    /// Lets a rollout rest, go on, or end.
    async fn change_of(&self, id: &str, change: RolloutChange) -> Result<RolloutView, AppError>;
}

#[async_trait]
impl FleetDesk for App {
    async fn graph_of(
        &self,
        format: GraphFormat,
        around: Option<(&str, usize)>,
    ) -> Result<String, AppError> {
        let gathered = self.known_fleet().await?;
        let fleet = &*gathered.fleet;
        let ids = match around {
            Some((word, most)) => fleet.graph().neighbourhood(gathered.find(word)?, most),
            None => fleet.graph().order().iter().copied().collect(),
        };
        Ok(match format {
            GraphFormat::Text => text(fleet, &ids),
            GraphFormat::Dot => dot(fleet, &ids),
            GraphFormat::Mermaid => mermaid(fleet, &ids),
            GraphFormat::Json => json(fleet, &ids).to_string(),
        })
    }

    async fn status_of(&self, all: bool) -> Result<Vec<Value>, AppError> {
        let gathered = self.known_fleet().await?;
        let fleet = &*gathered.fleet;
        let every = fleet.graph().tasks_of(fleet.graph().order());
        let ids: Vec<Id> = match all {
            true => every.collect(),
            false => fleet.outdated(),
        };
        let one = |id: Id| json(fleet, &[id].into())["nodes"][0].take();
        Ok(ids.into_iter().map(one).collect())
    }

    async fn plan_of(
        &self,
        bases: &[String],
        max_parallel: Option<u32>,
    ) -> Result<Estimate, AppError> {
        let gathered = self.known_fleet().await?;
        let tasks = gathered.affected(bases)?;
        let seconds = |task: &str| gathered.seconds_of(task);
        Ok(estimate(
            gathered.fleet.graph(),
            &tasks,
            seconds,
            max_parallel,
        ))
    }

    async fn report_of(&self, since: Option<DateTime<Utc>>) -> Result<Report, AppError> {
        let now = self.ports.clock.now();
        Ok(self.known_fleet().await?.fleet.report(now, since))
    }

    async fn why_of(&self, word: &str) -> Result<WhyView, AppError> {
        self.explain(word).await
    }

    async fn begin(&self, wish: &RolloutWish) -> Result<RolloutView, AppError> {
        let row = self.begin_rollout(wish, &local_user()).await?;
        self.show_rollout(&row.id).await
    }

    async fn rollouts_of(&self, only_open: bool, limit: u32) -> Result<Vec<RolloutView>, AppError> {
        self.list_rollouts(only_open, limit).await
    }

    async fn rollout_of(&self, id: &str) -> Result<RolloutView, AppError> {
        self.show_rollout(id).await
    }

    async fn change_of(&self, id: &str, change: RolloutChange) -> Result<RolloutView, AppError> {
        self.change_rollout(id, change, &local_user()).await?;
        self.show_rollout(id).await
    }
}
