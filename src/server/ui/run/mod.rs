//! `/runs/{run}`: a run as it happens.

mod actions;
mod cause;
mod graph;
mod head;
mod inputs;
mod live;
mod outputs;
mod record;
mod steps;
mod timeline;

pub(super) use actions::{approve, cancel, deny, rerun, retry};
pub(super) use live::follow;

use axum::{
    Extension,
    extract::{Path, State},
    response::Html,
};
use maud::{Markup, html};

use super::{failure::Failure, frame::page, session::Viewer};
use crate::server::Api;
use record::Record;

/// The id of the plan, and of the place where it comes once it is known.
const PLAN: &str = "plan";
const PLAN_PLACE: &str = "plan-place";

/// Shows a run; `latest`, `latest~1` and the beginning of an id name one, too.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
) -> Result<Html<String>, Failure> {
    let id = api.app.ports.store.find(&run).await?;
    let record = Record::read(&api, &id).await?;
    let now = api.app.ports.clock.now();
    let live = (!record.run.status.is_ended()).then(|| format!("/live/runs/{id}"));
    let body = html! {
        div data-live=[live] data-run=(id) {
            (head::head(&record, now))
            (actions::buttons(&viewer, &record.run))
            (cause::card(&api, &record).await?)
            div id=(PLAN_PLACE) { @if record.drawing.is_some() { (plan_card(&record, now)) } }
            (card("Timeline", timeline::timeline(&record, now)))
            (steps::card(&record, now))
            (outputs::card(&record))
            (inputs::card(&record))
        }
    };
    Ok(page(&viewer, "/", &record.run.name, body))
}

/// The plan with its drawing, as far as there is one: a file that the worker is still to read makes none.
fn plan_card(record: &Record, now: chrono::DateTime<chrono::Utc>) -> Markup {
    let nodes = graph::nodes(record, now);
    html! {
        section id=(PLAN) class="card" aria-label="Plan" {
            header { h2 { "Plan" } (graph::critical_note(record, now)) }
            @if let Some(drawing) = &record.drawing {
                div class="canvas" tabindex="0" role="region" aria-label="Drawing of the plan" {
                    (drawing.draw(&nodes, "Steps and what each waits for"))
                }
            }
        }
    }
}

fn card(title: &str, body: Markup) -> Markup {
    html! { section class="card" aria-label=(title) { header { h2 { (title) } } (body) } }
}
