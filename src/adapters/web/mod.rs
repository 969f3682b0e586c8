//! Texts from the web: https only, public addresses only, small ones only.

mod courier;

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use url::Url;

use crate::ports::{Fetch, FetchError};

/// How long one fetch may take; an alias file that needs longer is not worth waiting for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Fetches with a client that follows no redirects, for those could lead anywhere.
#[derive(Clone, Copy)]
pub struct Web;

#[async_trait]
impl Fetch for Web {
    async fn text(&self, url: &str, limit: usize) -> Result<String, FetchError> {
        fetch(url, limit)
            .await
            .map_err(|reason| FetchError(format!("could not fetch {url}: {reason}")))
    }
}

async fn fetch(url: &str, limit: usize) -> Result<String, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    if url.scheme() != "https" {
        return Err("only https addresses are fetched".to_owned());
    }
    let host = url.host_str().ok_or("it names no host")?.to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<_> = tokio::net::lookup_host((host.trim_matches(['[', ']']), port))
        .await
        .map_err(|error| error.to_string())?
        .collect();
    if let Some(private) = addresses.iter().find(|address| !is_public(address.ip())) {
        return Err(format!("{host} is {}, not a public address", private.ip()));
    }
    // The addresses that were checked are the ones that are used, whatever the name says a moment later.
    let client = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .resolve_to_addrs(&host, &addresses)
        .build()
        .map_err(|error| error.to_string())?;
    let response = client
        .get(url)
        .send()
        .await
        .map_err(|error| error.without_url().to_string())?;
    if !response.status().is_success() {
        return Err(format!("the server answered {}", response.status()));
    }
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.next().await {
        body.extend_from_slice(&piece.map_err(|error| error.without_url().to_string())?);
        if body.len() > limit {
            return Err(format!("it is larger than {limit} bytes"));
        }
    }
    String::from_utf8(body).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// Says whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || is_shared
                || a == 0
                || a >= 240)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| v6.to_ipv4()) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let first = v6.segments()[0];
                // Global unicast is 2000::/3; 2002::/16 and 64:ff9b::/96 carry IPv4 addresses inside.
                (0x2000..0x4000).contains(&first) && first != 0x2002
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Web, is_public};
    use crate::ports::Fetch;

    #[test]
    fn only_public_addresses_are_public() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::a00:1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn plain_http_and_private_hosts_are_refused_before_anything_is_sent() {
        for (url, why) in [
            ("http://example.com/a", "only https"),
            ("file:///etc/passwd", "only https"),
            ("https://127.0.0.1/a", "not a public address"),
            ("https://[::1]/a", "not a public address"),
            ("https://localhost/a", "not a public address"),
        ] {
            let error = Web.text(url, 10).await.unwrap_err().to_string();
            assert!(error.contains(why), "{url}: {error}");
        }
    }
}
