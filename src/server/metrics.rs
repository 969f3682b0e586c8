//! `/metrics`: what happens here, in the words of Prometheus.

use std::{collections::BTreeSet, sync::OnceLock, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use chrono::{DateTime, Utc};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::Api;
use crate::{
    app::WorkerDesk,
    engine::RunStatus,
    ports::{RunRow, StepRow},
};

/// The process has one recorder, whoever asks first makes it.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Another recorder, set by who uses the library, keeps what is counted from us.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}

/// Shows all metrics; those of runs are counted in the database now.
pub async fn show(State(api): State<Api>) -> String {
    let recorder = recorder();
    show_runs(&api).await;
    show_pools(&api).await;
    recorder.run_upkeep();
    recorder.render()
}

/// Runs that have not ended. What a database that is away cannot tell stays as it was.
async fn show_runs(api: &Api) {
    let Ok(counts) = api.app.queue.unfinished().await else {
        return;
    };
    let of = |status: RunStatus| counts.iter().find(|count| count.status == status);
    for status in RunStatus::ALL.iter().filter(|it| !it.is_ended()) {
        let runs = of(*status).map_or(0, |count| count.runs);
        metrics::gauge!("careen_runs", "status" => status.as_str()).set(runs as f64);
    }
    let leases: u64 = counts.iter().map(|count| count.held).sum();
    metrics::gauge!("careen_leases").set(leases as f64);
    let now = api.app.ports.clock.now();
    let longest = of(RunStatus::Queued).map(|count| (now - count.oldest).num_seconds());
    metrics::gauge!("careen_queue_wait_seconds_max").set(longest.unwrap_or(0) as f64);
}

/// What scalers go by: queues and workers of each pool. What a database that is away cannot tell stays as it was.
async fn show_pools(api: &Api) {
    let Ok(workers) = WorkerDesk::workers(&*api.app).await else {
        return;
    };
    let depths = api.app.queue.depths().await.unwrap_or_default();
    let of_queues = depths.iter().map(|depth| depth.pool.clone());
    let of_workers = workers.iter().map(|worker| worker.facts.pool.clone());
    for pool in of_queues.chain(of_workers).collect::<BTreeSet<String>>() {
        let Ok(load) = api.app.pool_load(&pool).await else {
            return;
        };
        let here = workers
            .iter()
            .filter(|it| it.facts.pool == pool && it.is_here());
        let slots: usize = here.clone().map(|it| it.facts.parallel_runs).sum();
        let gauge = |name: &'static str, value: f64| {
            metrics::gauge!(name, "pool" => pool.clone()).set(value)
        };
        gauge("careen_pool_runs_waiting", load.waiting as f64);
        gauge("careen_pool_runs_under_way", load.under_way as f64);
        gauge("careen_pool_wait_seconds_max", load.oldest.as_secs_f64());
        gauge("careen_pool_workers", here.count() as f64);
        gauge("careen_pool_slots", slots as f64);
    }
}

/// Counts and times every request by the route that served it.
pub async fn count(request: Request, next: Next) -> Response {
    recorder();
    let begun = Instant::now();
    let method = request.method().to_string();
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("none".to_owned(), |it| it.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("careen_http_requests_total",
        "method" => method, "path" => path.clone(), "status" => status)
    .increment(1);
    metrics::histogram!("careen_http_request_seconds", "path" => path)
        .record(begun.elapsed().as_secs_f64());
    response
}

/// Counts a run that has ended, with its steps, as it was recorded.
pub fn run_ended(run: &RunRow, steps: &[StepRow]) {
    let status = run.status.as_str();
    metrics::counter!("careen_runs_ended_total", "status" => status).increment(1);
    let took = seconds(run.started_at, run.ended_at).unwrap_or(0.0);
    metrics::histogram!("careen_run_seconds", "status" => status).record(took);
    if let Some(waited) = seconds(Some(run.created_at), run.started_at) {
        metrics::histogram!("careen_run_wait_seconds").record(waited);
    }
    let trigger = run.trigger.as_ref().map(|it| it.kind.as_str());
    metrics::counter!("careen_triggers_total", "kind" => trigger.unwrap_or("person")).increment(1);
    for step in steps {
        if let Some(took) = seconds(step.started_at, step.ended_at) {
            metrics::histogram!("careen_step_seconds",
                "kind" => step.kind.clone(), "status" => step.status.as_str())
            .record(took);
        }
    }
}

fn seconds(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Option<f64> {
    let took = to? - from?;
    Some(took.num_milliseconds() as f64 / 1000.0)
}
