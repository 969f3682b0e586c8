//! `/api/v1/fleet`: which images stand on which, what is stale and why, what would be built, and the report.

use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody, Query},
};
use crate::{
    app::{AppError, FleetDesk, FleetPage, GraphFormat, WhyView},
    fleet::{Estimate, Report},
    ports::Role,
};

/// How many nodes around one are given unless said.
const MOST: usize = 200;

/// What the overview's graph is to show.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Around {
    /// Only what is around this task or image.
    around: Option<String>,
}

/// Which part of the graph, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Drawing {
    /// `json`, `text`, `dot` or `mermaid`; `json` unless said.
    format: Option<String>,
    /// Only what is around this task or image.
    around: Option<String>,
    /// At most so many of what is around it; 200 unless said.
    most: Option<usize>,
}

/// Which tasks to list.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Which {
    /// Those that are fresh, too.
    all: Option<bool>,
}

/// What is to move, and how many builds go at once.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Moving {
    /// Images or tasks, with commas between them; everything that is stale unless said.
    bases: Option<String>,
    /// How many builds go at once; no limit unless said.
    max_parallel: Option<u32>,
}

/// Since when patches count.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Since {
    /// Patches before this moment are left out of the times.
    since: Option<DateTime<Utc>>,
}

/// What is to be explained.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Of {
    /// A run's id, a task, or an image.
    of: String,
}

/// Shows the fleet at a glance: counts, what is stale, levels, a part of the graph, the last rollouts.
#[utoipa::path(get, path = "/fleet", tag = "fleet", params(Around),
    responses((status = 200, body = FleetPage)))]
pub async fn page(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Around>,
) -> Result<Json<FleetPage>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.fleet_page(wanted.around.as_deref()).await?))
}

/// Writes the graph of tasks and images.
#[utoipa::path(get, path = "/fleet/graph", tag = "fleet", params(Drawing),
    responses((status = 200, description = "The graph as it was asked for"), (status = 400, body = ErrorBody)))]
pub async fn graph(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Drawing>,
) -> Result<Response, ApiError> {
    caller.may(Role::Reader)?;
    let word = wanted.format.as_deref().unwrap_or("json");
    let format: GraphFormat = word
        .parse()
        .map_err(|why: String| AppError::usage(why, "Leave format out for JSON"))?;
    let around = wanted.around.as_deref();
    let around = around.map(|it| (it, wanted.most.unwrap_or(MOST)));
    let written = api.app.graph_of(format, around).await?;
    let kind = match format {
        GraphFormat::Json => "application/json",
        GraphFormat::Text | GraphFormat::Dot | GraphFormat::Mermaid => "text/plain; charset=utf-8",
    };
    Ok(([(header::CONTENT_TYPE, kind)], written).into_response())
}

/// Lists tasks that are not what they should be: since when, and because of which base.
#[utoipa::path(get, path = "/fleet/status", tag = "fleet", params(Which),
    responses((status = 200, body = Vec<Object>)))]
pub async fn status(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Which>,
) -> Result<Json<Vec<Value>>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(
        api.app.status_of(wanted.all.unwrap_or_default()).await?,
    ))
}

/// Says what would be built, in which order, and how long it would take.
#[utoipa::path(get, path = "/fleet/plan", tag = "fleet", params(Moving),
    responses((status = 200, body = Estimate), (status = 400, body = ErrorBody)))]
pub async fn plan(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Moving>,
) -> Result<Json<Estimate>, ApiError> {
    caller.may(Role::Reader)?;
    let bases = wanted.bases.as_deref().unwrap_or_default();
    let bases = bases.split(',').filter(|it| !it.is_empty());
    let bases: Vec<String> = bases.map(str::to_owned).collect();
    Ok(Json(api.app.plan_of(&bases, wanted.max_parallel).await?))
}

/// Reports for each task what it stands on, how old that is, and how long its patch took.
#[utoipa::path(get, path = "/fleet/report", tag = "fleet", params(Since),
    responses((status = 200, body = Report)))]
pub async fn report(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Since>,
) -> Result<Json<Report>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.report_of(wanted.since).await?))
}

/// Explains a run, a task or an image: the chain of cause.
#[utoipa::path(get, path = "/fleet/why", tag = "fleet", params(Of),
    responses((status = 200, body = WhyView), (status = 400, body = ErrorBody)))]
pub async fn why(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Of>,
) -> Result<Json<WhyView>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.why_of(&wanted.of).await?))
}
