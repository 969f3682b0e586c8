//! Listens, with or without TLS, until it is told to stop.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use tower_governor::{GovernorError, GovernorLayer, governor::GovernorConfigBuilder};

use super::{Api, error::ApiError, router::limited_router};

/// How long open requests may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(10);
/// Requests at once from one address.
const BURST: u32 = 400;

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Certificate chain and key, PEM; without them the server speaks plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Requests a second from one address; 0 is no limit.
    pub rate: u32,
}

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Address(SocketAddr, std::io::Error),
    /// The certificate or its key cannot be used.
    #[error("the certificate {path} cannot be used: {1}", path = .0.display())]
    Certificate(PathBuf, std::io::Error),
    /// Serving ended on its own.
    #[error("the server stopped: {0}")]
    Stopped(std::io::Error),
}

/// Serves until `api.stop` is canceled; `ready` is told the address, whose port may have been left to the system.
pub async fn serve(
    api: Api,
    listen: Listen,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let unusable = |error| ServeError::Address(listen.address, error);
    let listener = TcpListener::bind(listen.address).map_err(unusable)?;
    listener.set_nonblocking(true).map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let handle = Handle::new();
    let (stop, stopping) = (api.stop.clone(), handle.clone());
    tokio::spawn(async move {
        stop.cancelled().await;
        stopping.graceful_shutdown(Some(GRACE));
    });
    let routes = limited_router(api, |routes| limited(routes, listen.rate));
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    ready(address);
    match &listen.tls {
        None => {
            let server = axum_server::from_tcp(listener).map_err(ServeError::Stopped)?;
            server.handle(handle).serve(service).await
        }
        Some((certificate, key)) => {
            let config = RustlsConfig::from_pem_file(certificate, key).await;
            let config =
                config.map_err(|error| ServeError::Certificate(certificate.clone(), error))?;
            let server = axum_server::from_tcp_rustls(listener, config);
            let server = server.map_err(ServeError::Stopped)?;
            server.handle(handle).serve(service).await
        }
    }
    .map_err(ServeError::Stopped)
}

/// Bounds how often one address may ask.
fn limited(routes: axum::Router<Api>, rate: u32) -> axum::Router<Api> {
    let config = (rate > 0).then(|| {
        GovernorConfigBuilder::default()
            .period(Duration::from_secs(1) / rate.max(1))
            .burst_size(BURST.max(rate))
            .finish()
    });
    match config.flatten() {
        None => routes,
        Some(config) => routes.layer(GovernorLayer::new(Arc::new(config)).error_handler(too_often)),
    }
}

/// The library's own answer would say to try again after 0 seconds.
fn too_often(error: GovernorError) -> Response<axum::body::Body> {
    let wait = match error {
        GovernorError::TooManyRequests { wait_time, .. } => wait_time.max(1),
        _ => 1,
    };
    let error = ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "this address asks too often",
    );
    let mut response = error.hint(format!("Try again in {wait} s")).into_response();
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}
