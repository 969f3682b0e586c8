//! One request on a connection of its own, for what the client of the API cannot say.

use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;

use super::EngineStream;

/// Asks and gives the answer, on whose connection nothing else is asked; it may be turned over to another protocol.
pub(in crate::adapters::docker) async fn ask(
    stream: EngineStream,
    mut request: Request<String>,
) -> hyper::Result<Response<Incoming>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with the stream that it becomes.
    tokio::spawn(connection.with_upgrades());
    let host = hyper::header::HeaderValue::from_static("engine");
    request.headers_mut().insert(hyper::header::HOST, host);
    sender.send_request(request).await
}
