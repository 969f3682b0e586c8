//! Why an image or a run is as it is: the chain of cause, from what stands in the way down to what moved first.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::{App, AppError};
use crate::{
    fleet::{Build, Fleet, Id, Outcome, State, json as shown},
    ports::{RunRow, StoreError},
};

/// How many decisions about moved bases are told.
const DECISIONS: u32 = 5;

/// An explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhyView {
    /// For people, line by line.
    pub lines: Vec<String>,
    /// For programs.
    #[schema(value_type = Object)]
    pub details: Value,
}

impl App {
    /// Explains a run by its id, or a task or image of the fleet.
    pub(super) async fn explain(&self, word: &str) -> Result<WhyView, AppError> {
        match self.ports.store.find(word).await {
            Ok(run) => return Ok(of_run(&self.ports.store.run(&run).await?)),
            Err(StoreError::NoSuchRun(_) | StoreError::Ambiguous(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let gathered = self.known_fleet().await?;
        let fleet = &*gathered.fleet;
        let id = gathered.find(word)?;
        let mut lines = Vec::new();
        chain(fleet, id, &mut lines);
        let task = &fleet.graph().node(id).name;
        for decision in self.bases.decisions(Some(task), DECISIONS).await? {
            let run = decision.run.map(|it| format!(" (run {it})"));
            lines.push(format!(
                "  {} moved to {}, seen {} by {}: {}{}",
                decision.key,
                decision.to,
                decision.at,
                decision.how,
                decision.reason,
                run.unwrap_or_default()
            ));
        }
        let details = shown(fleet, &[id].into())["nodes"][0].take();
        Ok(WhyView { lines, details })
    }
}

fn of_run(row: &RunRow) -> WhyView {
    let mut lines = vec![format!("run {} of {}: {}", row.id, row.name, row.cause)];
    if let Some(trigger) = &row.trigger {
        let origin = &trigger.details["origin"];
        if let (Some(image), Some(digest), Some(seen)) = (
            origin["image"].as_str(),
            origin["digest"].as_str(),
            origin["seen"].as_str(),
        ) {
            lines.push(format!("  {image} moved to {digest}, seen {seen}"));
        }
        if let Some(rollout) = trigger.details["rollout"].as_str() {
            lines.push(format!("  it belongs to rollout {rollout}"));
        }
        let bases = trigger.details["inputs"]["bases"].as_object();
        for (image, digest) in bases.into_iter().flatten() {
            let digest = digest.as_str().unwrap_or_default();
            lines.push(format!("  built on {image}@{digest}"));
        }
    }
    let details = json!({
        "id": row.id, "status": row.status.as_str(), "cause": row.cause, "trigger": row.trigger,
    });
    WhyView { lines, details }
}

/// Says how a node stands, and then what is in its way, down to the root.
fn chain(fleet: &Fleet, id: Id, lines: &mut Vec<String>) {
    let name = &fleet.graph().node(id).name;
    let standing = fleet.standing(id);
    let still = fleet.still(id);
    let still = still.unwrap_or_else(|| "it is what it should be".to_owned());
    lines.push(format!("{name} is {}: {still}", standing.state.word()));
    if let Some(origin) = standing.stale.as_ref().and_then(|it| it.origin.as_ref()) {
        let (image, digest) = (&origin.image, &origin.digest);
        lines.push(format!("  {image} moved to {digest}, seen {}", origin.seen));
    }
    let builds = fleet.facts().task(name).map(|it| it.builds.as_slice());
    if let Some(last) = builds.and_then(<[_]>::last) {
        lines.push(of_build(last));
    }
    if let State::Held { by, .. } = &standing.state {
        chain(fleet, *by, lines);
    }
}

fn of_build(build: &Build) -> String {
    let moved = build.origin.as_ref();
    let moved = moved.map(|it| format!(", because {} moved", it.image));
    let end = match &build.end {
        None => "is at it",
        Some((
            Outcome::Built {
                unchanged: true, ..
            },
            _,
        )) => "built it last, and gave the same content",
        Some((Outcome::Built { .. }, _)) => "built it last",
        Some((Outcome::Failed { .. }, _)) => "did not build it",
    };
    format!("  run {} {end}{}", build.run, moved.unwrap_or_default())
}
