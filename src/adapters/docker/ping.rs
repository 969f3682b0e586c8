//! Learns the engine's API version from an answer that costs it nothing: for `/version` it runs its helper programs.

use std::time::Duration;

use hyper::Request;

use super::{
    address::Address,
    dial::{self, Dialer},
};

/// How long to wait before the question that every engine answers is asked instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for the newest API that the engine speaks; `None` when it does not say, or only over a costly connection.
pub(super) async fn api_version(dialer: &Dialer) -> Option<String> {
    match dialer.address() {
        Address::Unix(_) | Address::Http(_) => {}
        Address::Tls { .. } | Address::Ssh(_) => return None,
    }
    tokio::time::timeout(PATIENCE, ask(dialer)).await.ok()?
}

async fn ask(dialer: &Dialer) -> Option<String> {
    let stream = dialer.open().await.ok()?;
    let request = Request::get("/_ping").body(String::new()).ok()?;
    let answer = dial::ask(stream, request).await.ok()?;
    let version = answer.headers().get("api-version")?.to_str().ok()?;
    answer.status().is_success().then(|| version.to_owned())
}
