//! The web pages: one file per page, rendered here, live over server-sent events, of use without any script.

mod assets;
mod audit;
mod badge;
mod connections;
mod deliveries;
mod digest;
mod failure;
mod fleet;
mod form;
mod frame;
mod graph;
mod headers;
mod live;
mod log;
mod login;
mod queue;
mod run;
mod run_rows;
mod runs;
mod runs_live;
mod secrets;
mod session;
mod strip;
mod table;
mod task;
mod tasks;
mod tokens;
mod when;
mod workers;
mod yaml;

pub(super) use failure::nothing_here;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tower_http::compression::CompressionLayer;

use super::{Api, audit as audited, check};

/// The routes of all pages, each behind a session but those that make one.
pub(super) fn routes(api: &Api) -> Router<Api> {
    let pages = Router::new()
        .merge(pages_of_runs())
        .merge(pages_of_tasks())
        .merge(pages_of_access())
        .merge(pages_of_work())
        .route("/logout", post(login::sign_out))
        .layer(middleware::from_fn_with_state(
            api.clone(),
            session::require,
        ));
    Router::new()
        .merge(pages)
        .route("/login", get(login::show).post(login::sign_in))
        .layer(middleware::from_fn_with_state(api.clone(), audited::record))
        .route("/assets/{hash}/{name}", get(assets::serve))
        .layer(middleware::from_fn(headers::protect))
        .layer(CompressionLayer::new())
}

fn pages_of_runs() -> Router<Api> {
    Router::new()
        .route("/", get(runs::show))
        .route("/runs", get(runs::show))
        .route("/live/runs", get(runs_live::follow))
        .route("/runs/{run}", get(run::show))
        .route("/live/runs/{run}", get(run::follow))
        .route("/runs/{run}/rerun", post(run::rerun))
        .route("/runs/{run}/retry", post(run::retry))
        .route("/runs/{run}/cancel", post(run::cancel))
        .route("/runs/{run}/approve", post(run::approve))
        .route("/runs/{run}/deny", post(run::deny))
        .route("/runs/{run}/log/{step}/{attempt}", get(log::show))
        .route("/runs/{run}/lines/{step}/{attempt}", get(log::lines))
        .route("/runs/{run}/find/{step}/{attempt}", get(log::find))
        .route("/runs/{run}/raw/{step}/{attempt}", get(log::download))
}

fn pages_of_tasks() -> Router<Api> {
    Router::new()
        .route("/tasks", get(tasks::show))
        .route("/new-task", get(task::new).post(task::create))
        .route("/check", post(check::task_file))
        .route("/tasks/{task}", get(task::show))
        .route("/tasks/{task}/edit", get(task::edit).post(task::save))
        .route("/tasks/{task}/run", post(task::run))
        .route("/tasks/{task}/versions", get(task::versions))
}

fn pages_of_access() -> Router<Api> {
    Router::new()
        .route("/connections", get(connections::show))
        .route("/tokens", get(tokens::show).post(tokens::create))
        .route("/tokens/{token}/revoke", post(tokens::revoke))
        .route("/audit", get(audit::show))
}

fn pages_of_work() -> Router<Api> {
    Router::new()
        .route("/deliveries", get(deliveries::show))
        .route("/deliveries/{delivery}", get(deliveries::one))
        .route("/deliveries/{delivery}/replay", post(deliveries::replay))
        .route("/fleet", get(fleet::show))
        .route("/fleet/report.md", get(fleet::markdown))
        .route("/live/fleet", get(fleet::follow))
        .route("/rollouts", post(fleet::begin))
        .route("/rollouts/{rollout}/{change}", post(fleet::change))
        .route("/workers", get(workers::show))
        .route("/live/workers", get(workers::follow))
        .route("/workers/{worker}/drain", post(workers::drain))
        .route("/workers/{worker}/resume", post(workers::resume))
}
