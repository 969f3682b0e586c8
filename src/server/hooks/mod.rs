//! The doors for deliveries of code hosts, and what the API shows of them.

mod body;
mod deliver;
mod show;
mod sources;

use std::sync::Arc;

use axum::{Extension, Router, routing::post};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;
use crate::app::{Gate, Intake};

/// The largest delivery: as much as GitHub sends.
pub const BODY_BYTES: usize = 25 * 1000 * 1000;

pub(super) use body::{read, sender, text};
pub use sources::{PutSource, SetSource};

/// What stands behind the doors.
pub struct Hooks {
    gate: Gate,
    intake: Intake,
}

/// The doors: one for all tasks, and one for each.
pub fn doors(api: &Api) -> Router<Api> {
    let hooks = Hooks {
        gate: Gate::new(api.app.clone()),
        intake: api.intake.clone(),
    };
    Router::new()
        .route("/hooks", post(deliver::to_all))
        .route("/hooks/{task}", post(deliver::to_one))
        .layer(Extension(Arc::new(hooks)))
}

/// What the API shows.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(show::list))
        .routes(routes!(show::show))
        .routes(routes!(show::replay))
        .routes(routes!(show::rejections))
        .routes(routes!(sources::list))
        .routes(routes!(sources::put, sources::remove))
}
