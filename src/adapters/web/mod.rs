//! Texts from the web: https only, public addresses only, small ones only. Archives are in `download`.

mod courier;
mod download;
mod permitted;

use std::time::Duration;

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
    let addresses = permitted::permitted(&url, false).await;
    let addresses = addresses.map_err(|why| why.to_string())?;
    let client = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
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

#[cfg(test)]
mod tests {
    use super::Web;
    use crate::ports::Fetch;

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
