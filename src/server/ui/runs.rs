//! `/`: the runs, newest first.

use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{failure::Failure, frame::page, queue, run_rows::table, session::Viewer, strip};
use crate::{
    engine::RunStatus,
    ports::{RunFilter, RunRow, Starter, TaskFilter},
    server::{
        Api,
        error::Query,
        page::{Page, PageQuery},
    },
};

/// Tasks that the filter offers by name.
const TASKS: u32 = 200;
/// Runs that are counted as waiting or running; more are not told apart.
const COUNTED: u32 = 1000;

/// Runs of each pool's queue that the page begins with.
pub(super) const QUEUE: u32 = 3;

/// Which runs to show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    status: String,
    task: String,
    trigger: String,
    branch: String,
    image: String,
    text: String,
    /// The last run of the page before.
    before: Option<String>,
}

impl Wanted {
    /// What to ask the store.
    pub fn filter(&self, limit: u32) -> RunFilter {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
        RunFilter {
            status: self.status.parse().ok(),
            unfinished: self.status == "unfinished",
            name: given(&self.task),
            starter: self.trigger.parse().ok(),
            branch: given(&self.branch),
            image: given(&self.image),
            contains: given(&self.text),
            before: self.before.clone(),
            limit,
            ..RunFilter::default()
        }
    }

    /// The same as a query, for the page after the run `before`.
    fn query(&self, before: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in [
            ("status", self.status.as_str()),
            ("task", &self.task),
            ("trigger", &self.trigger),
            ("branch", &self.branch),
            ("image", &self.image),
            ("text", &self.text),
            ("before", before.unwrap_or_default()),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    fn is_everything(&self) -> bool {
        self.query(None).is_empty()
    }
}

/// Shows a page of runs; the first one is live.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Failure> {
    let found = page_of_runs(&api, &wanted).await?;
    let tasks = TaskFilter {
        limit: TASKS,
        ..TaskFilter::default()
    };
    let tasks = api.app.tasks.tasks(&tasks).await?;
    let names: Vec<&str> = tasks.iter().map(|it| it.definition.name.as_str()).collect();
    let now = api.app.ports.clock.now();
    let is_live = wanted.before.is_none();
    let live = is_live.then(|| format!("/live/runs?{}", wanted.query(None)));
    let body = html! {
        div data-live=[live] {
            div class="title" { h1 { "Runs" } (counts(&api).await?) (overview(&found.items, now)) }
            (filters(&wanted, &names))
            @if is_live { (queue::card(&api, QUEUE, Some(now)).await?) }
            @if found.items.is_empty() { (nothing(&wanted)) } @else { (table(&found.items, now)) }
            (pager(&wanted, &found))
        }
    };
    Ok(page(&viewer, "/", "Runs", body))
}

/// Reads a page of runs.
pub(super) async fn page_of_runs(api: &Api, wanted: &Wanted) -> Result<Page<RunRow>, Failure> {
    let size = PageQuery::default();
    let runs = api
        .app
        .ports
        .store
        .runs(&wanted.filter(size.one_more()))
        .await?;
    Ok(size.cut(runs, |run| run.id.clone()))
}

/// The strip of durations, as an element of its own.
pub(super) fn overview(runs: &[RunRow], now: DateTime<Utc>) -> Markup {
    html! { div id="overview" class="overview" { (strip::durations(runs, now)) } }
}

/// How many runs wait and how many are under way, as an element of its own.
pub(super) async fn counts(api: &Api) -> Result<Markup, Failure> {
    let filter = RunFilter {
        unfinished: true,
        limit: COUNTED,
        ..RunFilter::default()
    };
    let runs = api.app.ports.store.runs(&filter).await?;
    let queued = runs
        .iter()
        .filter(|it| it.status == RunStatus::Queued)
        .count();
    let running = runs.len() - queued;
    Ok(html! {
        p id="counts" class="counts" {
            a href="/?status=running" { b { (running) } " running" }
            a href="/?status=queued" { b { (queued) } " queued" }
        }
    })
}

fn filters(wanted: &Wanted, tasks: &[&str]) -> Markup {
    let statuses = RunStatus::ALL.iter().map(|it| it.as_str());
    html! {
        form class="filters" method="get" action="/" role="search" data-filters {
            label class="visually-hidden" for="text" { "Search runs" }
            input id="text" type="search" name="text" value=(wanted.text)
                placeholder="Search name, cause or id" data-key="/";
            label class="visually-hidden" for="status" { "Status" }
            select id="status" name="status" {
                option value="" { "Any status" }
                @for status in ["unfinished"].into_iter().chain(statuses) {
                    option value=(status) selected[wanted.status == status] { (status.replace('_', " ")) }
                }
            }
            label class="visually-hidden" for="task" { "Task" }
            input id="task" name="task" value=(wanted.task) placeholder="Any task" list="tasks" autocomplete="off";
            datalist id="tasks" { @for task in tasks { option value=(task) {} } }
            label class="visually-hidden" for="trigger" { "Started by" }
            select id="trigger" name="trigger" {
                option value="" { "Started by any" }
                @for starter in Starter::ALL.map(Starter::as_str) {
                    option value=(starter) selected[wanted.trigger == starter] { (said(starter)) }
                }
            }
            label class="visually-hidden" for="branch" { "Branch" }
            input id="branch" class="short" name="branch" value=(wanted.branch) placeholder="Any branch" autocomplete="off";
            label class="visually-hidden" for="image" { "Image" }
            input id="image" class="short" name="image" value=(wanted.image) placeholder="Any image"
                autocomplete="off";
            button { "Filter" }
            @if !wanted.is_everything() { a class="quiet" href="/" { "Clear" } }
        }
    }
}

/// The words for who or what starts runs.
fn said(starter: &str) -> &str {
    match starter {
        "person" => "a person",
        "source" => "a commit",
        "base_image" => "a base image",
        "timer" => "a timer",
        "fleet" => "the fleet",
        other => other,
    }
}

fn nothing(wanted: &Wanted) -> Markup {
    html! {
        div class="empty" {
            @if wanted.is_everything() {
                p { "Nothing has run yet." }
                p class="dim" { code { "careen run --server URL -f acb.yaml ." } " runs a task file here." }
            } @else {
                p { "No run is like that." }
            }
        }
    }
}

fn pager(wanted: &Wanted, found: &Page<RunRow>) -> Markup {
    html! {
        nav class="pager" aria-label="Pages" {
            @if wanted.before.is_some() { a href={ "/?" (wanted.query(None)) } { "Newest" } }
            @if let Some(last) = &found.next {
                a href={ "/?" (wanted.query(Some(last))) } rel="next" { "Older" }
            }
        }
    }
}
