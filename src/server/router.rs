//! All routes, and what lies around them: limits, tokens, the audit log, ETags, metrics.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware,
    routing::{get, post},
};
use tower_http::{
    catch_panic::CatchPanicLayer, request_id, timeout::TimeoutLayer, trace::TraceLayer,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use super::{
    Api, access, again, audit, bases, check, contexts, docs::Docs, etag, fleet, health, hooks,
    logs, metrics, registry_hooks, rollouts, run, runs, stream, task, task_versions, tasks, timers,
    tokens, ui, workers,
};

/// The largest body of a request.
const BODY_BYTES: usize = 16 * 1024 * 1024;

/// Makes the whole service.
pub fn router(api: Api) -> Router {
    limited_router(api, |routes| routes)
}

/// Makes the whole service with a limit around it. Deliveries of code hosts, which come in bursts from few addresses and
/// are not sent again, stay outside of that.
pub(super) fn limited_router(api: Api, limit: impl FnOnce(Router<Api>) -> Router<Api>) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, api.terms.timeout);
    let doors = hooks::doors(&api).layer(timeout);
    let (routes, description) = api_routes().split_for_parts();
    let state = |api: &Api| api.clone();
    let routes = routes
        .layer(middleware::from_fn_with_state(
            state(&api),
            again::answer_once,
        ))
        .layer(middleware::from_fn(etag::tag))
        .layer(middleware::from_fn_with_state(
            state(&api),
            access::authenticate,
        ))
        .layer(middleware::from_fn_with_state(state(&api), audit::record))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(timeout);
    let registry_hooks =
        Router::new().route("/hooks/registries/{name}", post(registry_hooks::take));
    let routes = Router::new()
        .merge(routes)
        .merge(registry_hooks)
        .merge(ui::routes(&api))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::show))
        .merge(SwaggerUi::new("/docs").url("/api/v1/openapi.json", description));
    limit(routes)
        .merge(doors)
        .fallback(ui::nothing_here)
        .layer(middleware::from_fn(metrics::count))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(request_id::PropagateRequestIdLayer::x_request_id())
        .layer(request_id::SetRequestIdLayer::x_request_id(
            request_id::MakeRequestUuid,
        ))
        .with_state(api)
}

/// The span of a request; what stands behind the `?` may be secret.
fn span(request: &Request) -> tracing::Span {
    let path = request.uri().path();
    tracing::info_span!("request", method = %request.method(), path)
}

/// The routes of the API with their description.
pub(super) fn api_routes() -> OpenApiRouter<Api> {
    let routes = OpenApiRouter::new()
        .routes(routes!(runs::list, runs::queue))
        .routes(routes!(run::show))
        .routes(routes!(run::cancel))
        .routes(routes!(run::rerun))
        .routes(routes!(run::retry))
        .routes(routes!(stream::follow))
        .routes(routes!(logs::lines))
        .routes(routes!(logs::bytes))
        .routes(routes!(contexts::show, contexts::append, contexts::finish))
        .routes(routes!(check::task_file))
        .routes(routes!(tasks::list))
        .routes(routes!(task::show, task::put, task::delete))
        .routes(routes!(task::run))
        .routes(routes!(task_versions::list))
        .routes(routes!(task_versions::show))
        .routes(routes!(timers::list))
        .routes(routes!(bases::list))
        .routes(routes!(bases::watches))
        .routes(routes!(bases::decisions))
        .routes(routes!(timers::occurrences))
        .routes(routes!(fleet::page))
        .routes(routes!(fleet::graph))
        .routes(routes!(fleet::status))
        .routes(routes!(fleet::plan))
        .routes(routes!(fleet::report))
        .routes(routes!(fleet::why))
        .routes(routes!(rollouts::list, rollouts::create))
        .routes(routes!(rollouts::show))
        .routes(routes!(rollouts::pause))
        .routes(routes!(rollouts::resume))
        .routes(routes!(rollouts::cancel))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(workers::list))
        .routes(routes!(workers::drain))
        .routes(routes!(workers::resume))
        .routes(routes!(run::approve))
        .routes(routes!(audit::list))
        .merge(hooks::routes());
    OpenApiRouter::with_openapi(Docs::openapi()).nest("/api/v1", routes)
}
