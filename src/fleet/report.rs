//! The report on a fleet: what each image stands on, and how long it took to be patched.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Build, Fleet, Id, Kind, Outcome, State, state::short};

/// One task of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportRow {
    /// The task.
    pub task: String,
    /// The images that it makes.
    pub images: Vec<String>,
    /// What its last build stood on, with digests.
    pub bases: Vec<(String, String)>,
    /// How long the youngest of these bases has been known, in seconds.
    pub base_age_seconds: Option<i64>,
    /// When the base that moved was first seen, and which it was.
    pub moved: Option<(String, DateTime<Utc>)>,
    /// When the image of the last build was pushed.
    pub patched: Option<DateTime<Utc>>,
    /// From the one to the other.
    pub seconds_to_patch: Option<i64>,
    /// Whether the last build gave what was there before.
    pub unchanged: bool,
    /// The word for how it stands.
    pub state: String,
    /// What is still in the way, in words; nothing when it is fresh.
    pub still: Option<String>,
}

/// The report on a fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Patches before this moment are left out of the times.
    pub since: Option<DateTime<Utc>>,
    /// How many patches the times stand on.
    pub patches: usize,
    /// The time that half of the patches took at most, in seconds.
    pub median_seconds: Option<i64>,
    /// The time that 95 of 100 patches took at most, in seconds.
    pub p95_seconds: Option<i64>,
    /// How many tasks are not what they are wanted to be.
    pub stale: usize,
    /// Each task.
    pub rows: Vec<ReportRow>,
}

impl Fleet {
    /// Reports on every task; times count patches since a moment.
    pub fn report(&self, at: DateTime<Utc>, since: Option<DateTime<Utc>>) -> Report {
        let ids = self.graph.order().iter().copied();
        let tasks = ids.filter(|&id| self.graph.node(id).kind == Kind::Task);
        let rows: Vec<ReportRow> = tasks.map(|id| self.row(id, at)).collect();
        let mut times = self.times_to_patch(since);
        times.sort_unstable();
        Report {
            at,
            since,
            patches: times.len(),
            median_seconds: quantile(&times, 50),
            p95_seconds: quantile(&times, 95),
            stale: rows.iter().filter(|it| it.still.is_some()).count(),
            rows,
        }
    }

    fn row(&self, id: Id, at: DateTime<Utc>) -> ReportRow {
        let node = self.graph.node(id);
        let last = self.facts.task(&node.name).and_then(|it| it.last_built());
        let bases = last.map(|it| &it.inputs.bases).into_iter().flatten();
        let since = |image: &str| self.facts.tag(image).map(|tag| tag.since);
        let youngest = node.bases.iter().filter_map(|it| since(it)).max();
        ReportRow {
            task: node.name.clone(),
            images: node.images.clone(),
            bases: bases
                .map(|(image, digest)| (image.clone(), digest.clone()))
                .collect(),
            base_age_seconds: youngest.map(|it| (at - it).num_seconds()),
            moved: last
                .and_then(|it| Some((it.origin.as_ref()?.image.clone(), it.origin.as_ref()?.seen))),
            patched: last.and_then(|it| Some(it.end.as_ref()?.1)),
            seconds_to_patch: last.and_then(seconds_to_patch),
            unchanged: last.is_some_and(is_unchanged),
            state: self.standing(id).state.word().to_owned(),
            still: self.still(id),
        }
    }

    /// Says what is in the way of a node's being what it is wanted to be.
    pub fn still(&self, id: Id) -> Option<String> {
        let standing = self.standing(id);
        let because = standing.stale.as_ref().map(|it| it.because.to_string());
        let because = because.unwrap_or_default();
        let state = match &standing.state {
            State::Fresh | State::Watched => return None,
            State::Unseen => "it was never seen".to_owned(),
            State::Ready(_) => "it is next".to_owned(),
            State::Building { run } => format!("run {run} builds it"),
            State::Failed { run, reason } => format!("run {run} did not: {reason}"),
            State::Held { by, is_stuck } => {
                let (by, name) = (&self.standing(*by).state, &self.graph.node(*by).name);
                let why = if *is_stuck { "is" } else { "is still" };
                format!("{name} {why} {}", by.word())
            }
        };
        let join = if because.is_empty() { "" } else { "; " };
        Some(format!("{because}{join}{state}"))
    }

    fn times_to_patch(&self, since: Option<DateTime<Utc>>) -> Vec<i64> {
        let names = self
            .graph
            .order()
            .iter()
            .map(|&id| &self.graph.node(id).name);
        let builds = names
            .filter_map(|it| self.facts.task(it))
            .flat_map(|it| &it.builds);
        let counts = |it: &&Build| {
            it.end
                .as_ref()
                .is_some_and(|(_, at)| since.is_none_or(|s| *at >= s))
        };
        builds.filter(counts).filter_map(seconds_to_patch).collect()
    }
}

fn is_unchanged(build: &Build) -> bool {
    matches!(
        build.end,
        Some((
            Outcome::Built {
                unchanged: true,
                ..
            },
            _
        ))
    )
}

fn seconds_to_patch(build: &Build) -> Option<i64> {
    let (Outcome::Built { .. }, at) = build.end.as_ref()? else {
        return None;
    };
    Some((*at - build.origin.as_ref()?.seen).num_seconds())
}

/// The least of the sorted times that so many of 100 do not exceed.
fn quantile(sorted: &[i64], percent: usize) -> Option<i64> {
    let place = (sorted.len() * percent).div_ceil(100);
    sorted.get(place.checked_sub(1)?).copied()
}

impl Report {
    /// Writes the report as Markdown.
    pub fn markdown(&self) -> String {
        let mut page = format!(
            "# Fleet on {}\n\n{}\n\n",
            self.at.format("%Y-%m-%d %H:%M UTC"),
            self.summary()
        );
        page.push_str("| Task | Stands on | Base known for | Moved base first seen | Patched | Time to patch | State |\n");
        page.push_str("|---|---|---|---|---|---|---|\n");
        for row in &self.rows {
            // Writing to a String does not fail.
            let _ = writeln!(page, "| {} |", row.cells().join(" | "));
        }
        page
    }

    /// Writes the report as plain text.
    pub fn text(&self) -> String {
        let mut page = format!("{}\n", self.summary());
        for row in &self.rows {
            let _ = writeln!(
                page,
                "{}: {}",
                row.task,
                row.still.as_deref().unwrap_or(&row.state)
            );
            for (image, digest) in &row.bases {
                let _ = writeln!(page, "  stands on {image} ({})", short(digest));
            }
            if let (Some((image, seen)), Some(patched)) = (&row.moved, row.patched) {
                let took = words(row.seconds_to_patch);
                let _ = writeln!(
                    page,
                    "  {image} moved, seen {}; patched {} after {took}",
                    time(*seen),
                    time(patched)
                );
            }
            if row.unchanged {
                page.push_str("  its last build gave the same content, so its digest stayed\n");
            }
        }
        page
    }

    fn summary(&self) -> String {
        format!(
            "{} tasks, {} not fresh. Time to patch over {} patches: median {}, 95 % within {}.",
            self.rows.len(),
            self.stale,
            self.patches,
            words(self.median_seconds),
            words(self.p95_seconds),
        )
    }
}

impl ReportRow {
    fn cells(&self) -> [String; 7] {
        let bases: Vec<String> = self
            .bases
            .iter()
            .map(|(i, d)| format!("{i} ({})", short(d)))
            .collect();
        let state = self.still.clone().unwrap_or_else(|| match self.unchanged {
            true => "unchanged".to_owned(),
            false => self.state.clone(),
        });
        [
            self.task.clone(),
            bases.join("<br>"),
            words(self.base_age_seconds),
            self.moved
                .as_ref()
                .map(|it| format!("{} {}", it.0, time(it.1)))
                .unwrap_or_default(),
            self.patched.map(time).unwrap_or_default(),
            words(self.seconds_to_patch),
            // What a task said may hold what a table would take for its own.
            state.replace('|', "\\|").replace('\n', " "),
        ]
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn words(seconds: Option<i64>) -> String {
    match seconds.map(|it| it.max(0)) {
        None => "-".to_owned(),
        Some(s) if s < 120 => format!("{s} s"),
        Some(s) if s < 7200 => format!("{} min", s / 60),
        Some(s) if s < 172_800 => format!("{} h", s / 3600),
        Some(s) => format!("{} d", s / 86_400),
    }
}
