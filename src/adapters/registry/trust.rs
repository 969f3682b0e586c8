//! Where a registry may lead us: never from https to plain http, never from the public internet into private networks.

use std::net::{IpAddr, SocketAddr};

use url::{Host as UrlHost, Url};

use crate::ports::{RegistryError, is_public};

/// An address that may be asked, and the network addresses that were checked.
pub(super) struct Permitted {
    /// Whether it is the registry's own, which gets its credentials too.
    pub(super) is_own: bool,
    /// What its name stood for when it was checked; empty for the registry's own.
    pub(super) addresses: Vec<SocketAddr>,
}

/// Checks an address that a registry named: a redirect, a place for an upload, a token service.
pub(super) async fn permit(own: &Url, target: &Url) -> Result<Permitted, RegistryError> {
    if target.origin() == own.origin() {
        return Ok(Permitted {
            is_own: true,
            addresses: Vec::new(),
        });
    }
    let refuse = |reason: &str| RegistryError::Astray {
        host: own.authority().to_owned(),
        target: target.origin().ascii_serialization(),
        reason: reason.to_owned(),
    };
    match target.scheme() {
        "https" => {}
        "http" if own.scheme() == "http" => {}
        "http" => return Err(refuse("which is plain http, while it speaks https itself")),
        _ => return Err(refuse("which is no web address")),
    }
    let addresses = addresses(target).await;
    let leads_inside = addresses.iter().any(|it| !is_public(it.ip()));
    if leads_inside && !is_private(own).await {
        return Err(refuse(
            "which is a private address, while it is on a public one itself",
        ));
    }
    Ok(Permitted {
        is_own: false,
        addresses,
    })
}

async fn is_private(url: &Url) -> bool {
    let found = addresses(url).await;
    found.iter().any(|it| !is_public(it.ip()))
}

/// What a name stands for; nothing when only a proxy knows.
async fn addresses(url: &Url) -> Vec<SocketAddr> {
    let port = url.port_or_known_default().unwrap_or(443);
    let literal = |ip: IpAddr| vec![SocketAddr::new(ip, port)];
    match url.host() {
        Some(UrlHost::Ipv4(ip)) => literal(ip.into()),
        Some(UrlHost::Ipv6(ip)) => literal(ip.into()),
        Some(UrlHost::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
            Ok(found) => found.collect(),
            Err(_) => Vec::new(),
        },
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registry_leads_nowhere_less_safe_than_itself() {
        for (registry, target, is_fine) in [
            ("https://8.8.8.8/", "https://8.8.8.8/v2/", true),
            ("https://8.8.8.8/", "https://1.1.1.1/token", true),
            ("https://8.8.8.8/", "http://1.1.1.1/token", false),
            ("https://8.8.8.8/", "http://8.8.8.8/token", false),
            ("https://8.8.8.8/", "https://169.254.169.254/token", false),
            ("https://8.8.8.8/", "https://[::1]/token", false),
            ("https://8.8.8.8/", "https://localhost/token", false),
            ("https://8.8.8.8/", "file:///etc/passwd", false),
            (
                "http://127.0.0.1:5000/",
                "http://127.0.0.1:5001/token",
                true,
            ),
            ("http://127.0.0.1:5000/", "https://10.0.0.1/token", true),
            ("http://8.8.8.8/", "http://10.0.0.1/token", false),
        ] {
            let url = |text| Url::parse(text).unwrap();
            let answer = permit(&url(registry), &url(target)).await;
            assert_eq!(answer.is_ok(), is_fine, "{registry} to {target}");
        }
    }
}
