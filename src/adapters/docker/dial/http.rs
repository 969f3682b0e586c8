//! The client of the engine's API on connections of our own.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker, errors::Error};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};

use super::{Dialer, EngineStream};

/// Makes a client that opens its connections through `dialer` and uses them again.
pub(in crate::adapters::docker) fn client(
    dialer: Arc<Dialer>,
    timeout_seconds: u64,
) -> Result<Docker, Error> {
    let connector = tower::service_fn(move |_: hyper::Uri| {
        let dialer = dialer.clone();
        Box::pin(async move { Ok::<_, io::Error>(Link(TokioIo::new(dialer.open().await?))) })
    });
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let transport = move |request: BollardRequest| {
        let answer = client.request(request);
        async move { answer.await.map_err(|err| Error::HyperLegacyError { err }) }
    };
    // The name of the host is for the header alone: the dialer knows where to go.
    let host = Some("http://engine");
    Docker::connect_with_custom_transport(transport, host, timeout_seconds, API_DEFAULT_VERSION)
}

/// A connection as the HTTP client wants it.
struct Link(TokioIo<EngineStream>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Link {
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
