//! Raw connections to the engine, over whatever leads there.

mod http;
mod once;
mod ssh;
mod ssh_stream;
mod tls;
mod words;

use std::io;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::OnceCell,
};

use super::address::Address;

pub(super) use http::client;
pub(super) use once::ask;
pub(super) use words::tls_error;

/// Both directions of a connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to the engine, before anything was said on it.
pub(super) type EngineStream = Box<dyn Duplex>;

/// Opens connections to one engine. What they have in common is made when the first is opened.
#[derive(Debug)]
pub(super) struct Dialer {
    address: Address,
    tls: OnceCell<tls::Connector>,
    ssh: OnceCell<ssh::Program>,
}

impl Dialer {
    /// Makes a dialer; nobody is called yet.
    pub(super) fn new(address: Address) -> Dialer {
        Dialer {
            address,
            tls: OnceCell::new(),
            ssh: OnceCell::new(),
        }
    }

    /// The address that is called.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Opens a connection. An error may carry an [`EngineError`](crate::ports::EngineError) that says what to do.
    pub(super) async fn open(&self) -> io::Result<EngineStream> {
        Ok(match &self.address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Address::Http(host) => Box::new(tcp(host).await?),
            Address::Tls { host, certificates } => {
                let connector = self.tls.get_or_try_init(async || {
                    tls::Connector::read(certificates, &self.address.to_string())
                });
                let connector = connector.await?;
                Box::new(connector.connect(host, tcp(host).await?).await?)
            }
            Address::Ssh(destination) => {
                let program = self
                    .ssh
                    .get_or_try_init(async || ssh::Program::new(destination));
                Box::new(program.await?.connect().await?)
            }
        })
    }
}

async fn tcp(host: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    // A request is small, and its answer is waited for.
    stream.set_nodelay(true)?;
    Ok(stream)
}
