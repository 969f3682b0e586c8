//! `/runs/{run}`: a run as it happens.

mod actions;
mod graph;
mod head;
mod inputs;
mod live;
mod outputs;
mod record;
mod steps;
mod timeline;

pub(super) use actions::{cancel, rerun};
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
            (plan_card(&record, now))
            (card("Timeline", timeline::timeline(&record, now)))
            (steps::card(&record, now))
            (inputs::card(&record))
        }
    };
    Ok(page(&viewer, "/", &record.run.name, body))
}

fn plan_card(record: &Record, now: chrono::DateTime<chrono::Utc>) -> Markup {
    let Some(drawing) = &record.drawing else {
        return Markup::default();
    };
    let nodes = graph::nodes(record, now);
    html! {
        section class="card" aria-label="Plan" {
            header { h2 { "Plan" } (graph::critical_note(record, now)) }
            div class="canvas" tabindex="0" role="region" aria-label="Drawing of the plan" {
                (drawing.draw(&nodes, "Steps and what each waits for"))
            }
        }
    }
}

fn card(title: &str, body: Markup) -> Markup {
    html! { section class="card" aria-label=(title) { header { h2 { (title) } } (body) } }
}
