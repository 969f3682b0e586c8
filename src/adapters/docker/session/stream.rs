//! Connections of the engine turned into streams of HTTP/2.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::{Request, StatusCode, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

use crate::{
    adapters::docker::{DockerEngine, dial},
    ports::EngineError,
};

use super::SessionError;

/// Asks the engine to turn a connection over to `path`, with these headers.
pub(super) async fn upgrade(
    engine: &DockerEngine,
    path: &str,
    headers: &[(&str, String)],
) -> Result<EngineStream, SessionError> {
    let (stream, version) = engine.raw().await.map_err(SessionError::Engine)?;
    let broken = |error: hyper::Error| SessionError::Engine(EngineError::Broken(error.to_string()));
    let mut request = Request::post(format!("/v{version}{path}"))
        .header("connection", "Upgrade")
        .header("upgrade", "h2c");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(String::new())
        .map_err(|error| SessionError::Engine(EngineError::Other(error.to_string())))?;
    let response = dial::ask(stream, request).await.map_err(broken)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let answer = format!("it answers {path} with {}", response.status());
        return Err(SessionError::Missing(answer));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(broken)?;
    Ok(EngineStream(TokioIo::new(upgraded)))
}

/// Both directions of a connection that the engine turned over.
pub(super) struct EngineStream(TokioIo<Upgraded>);

impl EngineStream {
    /// Takes the stream in the form that HTTP clients want.
    pub(super) fn into_inner(self) -> Upgraded {
        self.0.into_inner()
    }
}

impl Connected for EngineStream {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for EngineStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for EngineStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
