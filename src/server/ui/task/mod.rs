//! `/tasks/{task}`: a stored task, its plan, its runs, its versions.

mod bases;
mod edit;
mod run;
mod triggers;
mod versions;

pub(super) use edit::{create, edit, new, save};
pub(super) use run::run;
pub(super) use versions::show as versions;

use axum::{
    Extension,
    extract::{Path, State},
    response::Html,
};
use maud::{Markup, html};

use super::{
    badge::Look,
    failure::Failure,
    frame::page,
    graph::{Drawing, Node},
    run_rows::table,
    session::Viewer,
    strip,
    tasks::{of_task, path},
    yaml::painted,
};
use crate::{
    app::{AppError, Overrides, Request, outline},
    engine::StepStatus,
    plan::Plan,
    ports::{Role, RunRow, TaskRow},
    server::Api,
    tasks::write,
};

/// Runs that the page lists.
const RUNS: u32 = 15;

/// Shows a task.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(name): Path<String>,
) -> Result<Html<String>, Failure> {
    let row = api.app.tasks.task(&name).await?;
    let runs = api.app.ports.store.runs(&of_task(&name, RUNS)).await?;
    let request = request(&api, &row, &runs).await;
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" {
            h1 { (name) }
            a class="dim" href={ (path(&name)) "/versions" } { "version " (row.version) }
            span class="dim" { "by " (row.updated_by) }
            @if let Some(manifest) = &row.manifest { span class="tag" { "from " (manifest) } }
            @if viewer.may(Role::Editor) {
                div class="actions" { a class="button" href={ (path(&name)) "/edit" } { "Edit" } }
            }
        }
        @if viewer.may(Role::Runner) { (run::form(&viewer, &row)) }
        @match &request {
            Ok(request) => (plan_card(request)),
            Err(error) => p class="wrong" { "The plan cannot be drawn: " (error) },
        }
        (triggers::card(&api, &row).await?)
        (runs_card(&runs, now))
        (bases::card(&api, &name).await?)
        (definition_card(&row, request.as_ref().ok()))
    };
    Ok(page(&viewer, "/tasks", &name, body))
}

/// What a run of the task would ask for. A task file that lies elsewhere is that of its last run.
async fn request(api: &Api, row: &TaskRow, runs: &[RunRow]) -> Result<Request, AppError> {
    let mut request = api.app.asked_request(row, Overrides::default()).await?.0;
    if let (true, Some(last)) = (request.text.is_empty(), runs.first()) {
        let last = api.app.ports.store.run(&last.id).await?;
        let text = last.prepared["text"].as_str().unwrap_or_default();
        text.clone_into(&mut request.text);
    }
    Ok(request)
}

fn plan_card(request: &Request) -> Markup {
    html! {
        section class="card" aria-label="Plan" {
            header { h2 { "Plan" } }
            @if request.text.is_empty() {
                div class="body" { p class="dim" { "The task file is read from the context when the task runs." } }
            } @else {
                @match outline(request) {
                    Ok(plan) => div class="canvas" tabindex="0" role="region" aria-label="Drawing of the plan" {
                        (drawn(&plan))
                    },
                    Err(error) => div class="body" {
                        p class="dim" { "It cannot be drawn as it stands, without its secrets: " (error) }
                    },
                }
            }
        }
    }
}

/// A plan of which nothing has happened.
fn drawn(plan: &Plan) -> Markup {
    let nodes = (0..).zip(plan.steps()).map(|(position, step)| Node {
        position,
        id: step.id.clone(),
        href: format!("#{}", step.id),
        look: Look::from(StepStatus::Waiting),
        note: html! { (step.kind.word()) },
        is_critical: false,
    });
    let nodes: Vec<Node> = nodes.collect();
    Drawing::new(&plan.into()).draw(&nodes, "Steps and what each waits for")
}

fn runs_card(runs: &[RunRow], now: chrono::DateTime<chrono::Utc>) -> Markup {
    html! {
        section aria-label="Last runs" class="part" {
            header class="title" { h2 { "Last runs" } (strip::small(runs, now)) }
            @if runs.is_empty() { p class="dim" { "It has not run yet." } } @else { (table(runs, now)) }
        }
    }
}

fn definition_card(row: &TaskRow, request: Option<&Request>) -> Markup {
    let definition = write(&row.definition).unwrap_or_default();
    let is_elsewhere = row.definition.yaml.is_none();
    html! {
        section class="card" aria-label="Definition" {
            header { h2 { "Definition" } }
            div class="body" {
                (painted(&definition))
                @if let Some(request) = request.filter(|it| is_elsewhere && !it.text.is_empty()) {
                    h2 class="above" { (request.file) }
                    (painted(&request.text))
                }
            }
        }
    }
}
