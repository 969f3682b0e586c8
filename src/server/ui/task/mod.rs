//! `/tasks/{task}`: a stored task, its plan, its runs, its versions.

mod edit;
mod run;
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
    when::exact,
    yaml::painted,
};
use crate::{
    app::{Overrides, Request, TimerDesk, outline},
    engine::StepStatus,
    plan::Plan,
    ports::{Role, RunRow, TaskRow, Timer},
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
    let request = api.app.task_request(&row, Overrides::default()).await;
    let now = api.app.ports.clock.now();
    let timers = api.app.timers_of(Some(&name)).await?;
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
        (coming(&timers))
        @if viewer.may(Role::Runner) { (run::form(&viewer, &row)) }
        @match &request {
            Ok((request, _)) => (plan_card(request)),
            Err(error) => p class="wrong" { "The plan cannot be drawn: " (error) },
        }
        (runs_card(&runs, now))
        (definition_card(&row, request.as_ref().ok().map(|it| &it.0)))
    };
    Ok(page(&viewer, "/tasks", &name, body))
}

/// When timers will start it next.
fn coming(timers: &[Timer]) -> Markup {
    html! {
        @if !timers.is_empty() {
            dl class="facts" {
                @for timer in timers {
                    div {
                        dt { "Next by timer " (timer.name) }
                        dd {
                            (exact(timer.due_at))
                            @if let Some(problem) = &timer.problem { " " span class="failed" { (problem) } }
                        }
                    }
                }
            }
        }
    }
}

fn plan_card(request: &Request) -> Markup {
    html! {
        section class="card" aria-label="Plan" {
            header { h2 { "Plan" } }
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

/// A plan of which nothing has happened.
fn drawn(plan: &Plan) -> Markup {
    let nodes = (0..).zip(plan.steps()).map(|(position, step)| Node {
        position,
        id: step.id.clone(),
        look: Look::from(StepStatus::Waiting),
        note: html! { (step.kind.word()) },
        is_critical: false,
    });
    let nodes: Vec<Node> = nodes.collect();
    Drawing::new(plan).draw(&nodes, "Steps and what each waits for")
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
                @if let Some(request) = request.filter(|_| is_elsewhere) {
                    h2 class="above" { (request.file) }
                    (painted(&request.text))
                }
            }
        }
    }
}
