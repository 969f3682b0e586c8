//! Which addresses git may ask.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::{
    adapters::folder::elsewhere::failure::{ALLOW_PRIVATE, Failing},
    ports::{Access, OpenError, is_public},
};

/// What to write to have a repository of this machine read.
const ALLOW_LOCAL: &str = "Add --allow local-repository if that is meant";

/// Refuses repositories of this machine and private hosts, unless they are allowed.
pub async fn permit(url: &str, access: &Access, failing: &Failing) -> Result<(), OpenError> {
    let Some((host, port)) = host_of(url) else {
        return match access.allow_local {
            true => Ok(()),
            false => Err(failing.refused("it is a repository of this machine", ALLOW_LOCAL)),
        };
    };
    if access.allow_private {
        return Ok(());
    }
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let found = found.map_err(|error| failing.machine(format!("{host}: {error}")))?;
    check(&host, found.collect(), failing)
}

/// The same for a thread that may block.
pub fn permit_blocking(url: &str, access: &Access, failing: &Failing) -> Result<(), OpenError> {
    let Some((host, port)) = host_of(url) else {
        return Err(failing.refused("a submodule is a repository of this machine", ""));
    };
    if access.allow_private {
        return Ok(());
    }
    let found = std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port));
    let found = found.map_err(|error| failing.machine(format!("{host}: {error}")))?;
    check(&host, found.collect(), failing)
}

fn check(host: &str, addresses: Vec<SocketAddr>, failing: &Failing) -> Result<(), OpenError> {
    match addresses.iter().find(|it| !is_public(it.ip())) {
        Some(private) => Err(failing.refused(
            format!("{host} is {}, not a public address", private.ip()),
            ALLOW_PRIVATE,
        )),
        None => Ok(()),
    }
}

/// The host and port of a repository's address; `None` when it is on this machine.
pub fn host_of(url: &str) -> Option<(String, u16)> {
    if let Ok(url) = Url::parse(url) {
        let port = url.port().unwrap_or(match url.scheme() {
            "https" => 443,
            "http" => 80,
            "ssh" => 22,
            _ => 9418,
        });
        if url.scheme() == "file" {
            return None;
        }
        return Some(match url.host()? {
            Host::Domain(name) => (name.to_ascii_lowercase(), port),
            Host::Ipv4(ip) => (ip.to_string(), port),
            Host::Ipv6(ip) => (ip.to_string(), port),
        });
    }
    let (_, rest) = url.split_once('@')?;
    let (host, _) = rest.split_once(':')?;
    Some((host.to_ascii_lowercase(), 22))
}
