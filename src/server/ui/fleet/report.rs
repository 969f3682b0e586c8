//! The report on the fleet: how long patches took, as a card and as Markdown to keep.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::{counts::done, read};
use crate::{
    fleet::Fleet,
    server::{
        Api,
        ui::{failure::Failure, when::duration},
    },
};

/// The id of the card.
pub(super) const ID: &str = "report";

/// The times as a card.
pub(super) fn card(fleet: &Fleet, now: DateTime<Utc>) -> Markup {
    let report = fleet.report(now, None);
    let (fresh, tasks) = done(fleet);
    let time = |seconds: Option<i64>| match seconds {
        Some(it) => duration(TimeDelta::seconds(it)),
        None => "–".to_owned(),
    };
    html! {
        section id=(ID) class="card" aria-label="Report" {
            header { h2 { "Time to patch" } span class="dim" { "over " (report.patches) " patches" } }
            dl class="facts body" {
                div { dt { "Half within" } dd { (time(report.median_seconds)) } }
                div { dt { "95 of 100 within" } dd { (time(report.p95_seconds)) } }
                div { dt { "Fresh" } dd { (fresh) " of " (tasks) } }
            }
        }
    }
}

/// The whole report as Markdown.
pub(in crate::server::ui) async fn markdown(State(api): State<Api>) -> Result<Response, Failure> {
    let seen = read::read(&api).await?;
    let report = seen.fleet.report(api.app.ports.clock.now(), None);
    let kind = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"fleet.md\"",
        ),
    ];
    Ok((kind, report.markdown()).into_response())
}
