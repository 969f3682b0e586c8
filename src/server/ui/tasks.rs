//! `/tasks`: the stored tasks, by name.

use std::collections::HashMap;

use axum::{Extension, extract::State, response::Html};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    badge::Look, failure::Failure, frame::page, session::Viewer, strip, table::table, when::ago,
};
use crate::{
    ports::{Role, RunFilter, RunRow, TaskFilter, TaskRow},
    server::{Api, error::Query, page::PageQuery},
    tasks::Status,
};

/// Runs of each task that are drawn.
const RUNS: u32 = 16;

/// What is told of each task.
const COLUMNS: [(&str, &str); 6] = [
    ("", "Task"),
    ("", "Last run"),
    ("wide", "Durations"),
    ("wide", "Starts by"),
    ("number", "Version"),
    ("number", "Changed"),
];

/// Which tasks to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    text: String,
    after: Option<String>,
}

/// Shows a page of tasks.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Failure> {
    let size = PageQuery::default();
    let filter = TaskFilter {
        after: wanted.after.clone(),
        contains: Some(wanted.text.clone()).filter(|it| !it.is_empty()),
        limit: size.one_more(),
    };
    let rows = api.app.tasks.tasks(&filter).await?;
    let found = size.cut(rows, |row| row.definition.name.clone());
    let runs = last_runs(&api, &found.items).await?;
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" {
            h1 { "Tasks" }
            @if viewer.may(Role::Editor) {
                div class="actions" { a class="button main" href="/new-task" { "New task" } }
            }
        }
        form class="filters" method="get" action="/tasks" role="search" {
            label class="visually-hidden" for="text" { "Search tasks" }
            input id="text" type="search" name="text" value=(wanted.text) placeholder="Search tasks" data-key="/";
            button { "Search" }
        }
        @if found.items.is_empty() {
            div class="empty" { p { "No task is stored" @if !wanted.text.is_empty() { " that is like that" } "." } }
        } @else {
            (table("Tasks", &COLUMNS, &html! {
                tbody data-rows {
                    @for row in &found.items {
                        @let own = runs.get(&row.definition.name).map_or(&[][..], Vec::as_slice);
                        (task_row(row, own, now))
                    }
                }
            }))
        }
        nav class="pager" aria-label="Pages" {
            @if let Some(after) = &found.next {
                a href={ "/tasks?" (url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("text", &wanted.text).append_pair("after", after).finish()) } { "More" }
            }
        }
    };
    Ok(page(&viewer, "/tasks", "Tasks", body))
}

fn task_row(row: &TaskRow, runs: &[RunRow], now: chrono::DateTime<chrono::Utc>) -> Markup {
    let task = &row.definition;
    html! {
        tr {
            td class="what" {
                a href=(path(&task.name)) { (task.name) }
                @if task.status == Status::Disabled { span class="tag" { "disabled" } }
                @if let Some(context) = &task.context { span class="reason" { (context) } }
            }
            td {
                @if let Some(run) = runs.first() {
                    a href={ "/runs/" (run.id) } { (Look::from(run.status).badge()) }
                    " " span class="dim" { (ago(run.created_at, now)) }
                } @else { span class="dim" { "never" } }
            }
            td class="wide" { (strip::small(runs, now)) }
            td class="wide dim" { @let kinds = task.triggers.kinds(); @if kinds.is_empty() { "hand" } @else {
                (kinds.join(", ").to_lowercase().replace('_', " ")) } }
            td class="number" { (row.version) }
            td class="number dim" { (ago(row.updated_at, now)) }
        }
    }
}

/// The path of a task's page.
pub(super) fn path(name: &str) -> String {
    let mut url = url::Url::parse("http://careen/tasks").expect("an address");
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.push(name);
    }
    url.path().to_owned()
}

async fn last_runs(api: &Api, tasks: &[TaskRow]) -> Result<HashMap<String, Vec<RunRow>>, Failure> {
    let mut all = HashMap::new();
    for row in tasks {
        let name = row.definition.name.clone();
        let runs = api.app.ports.store.runs(&of_task(&name, RUNS)).await?;
        all.insert(name, runs);
    }
    Ok(all)
}

/// The last runs of a task.
pub(super) fn of_task(name: &str, limit: u32) -> RunFilter {
    RunFilter {
        name: Some(name.to_owned()),
        limit,
        ..RunFilter::default()
    }
}
