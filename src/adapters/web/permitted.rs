//! Which addresses a host on the web has, and whether they may be asked: what strangers name must not lead inside.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::ports::is_public;

/// Why a host is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Barred {
    /// The address names no host.
    #[error("it names no host")]
    NoHost,
    /// Its addresses could not be found, for now.
    #[error("{0}")]
    Unknown(String),
    /// It is not on the public internet, and nobody allowed others.
    #[error("{0} is {1}, not a public address")]
    Private(String, std::net::IpAddr),
}

/// Finds the addresses of a host, and refuses private ones unless they are allowed. Those that were checked are to be
/// the ones that are used, whatever the name says a moment later.
pub(super) async fn permitted(url: &Url, allow_private: bool) -> Result<Vec<SocketAddr>, Barred> {
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
        Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
        Some(Host::Domain(name)) => tokio::net::lookup_host((name, port))
            .await
            .map_err(|error| Barred::Unknown(format!("{name}: {error}")))?
            .collect(),
        None => return Err(Barred::NoHost),
    };
    let private = addresses.iter().find(|it| !is_public(it.ip()));
    match private.filter(|_| !allow_private) {
        Some(private) => Err(Barred::Private(
            url.host_str().unwrap_or_default().to_owned(),
            private.ip(),
        )),
        None => Ok(addresses),
    }
}
