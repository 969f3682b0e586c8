//! Archives from the web, of any size, wherever redirects lead as long as that is no worse than where they began.

use std::{io, net::SocketAddr, time::Duration};

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use secrecy::ExposeSecret;
use url::Url;

use super::{
    Web,
    permitted::{Barred, permitted},
};
use crate::ports::{Access, Download, DownloadError, Downloads};

/// How long a server may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How often a server may send us on.
const MOST_REDIRECTS: usize = 5;
/// Tries of one download, the first included, as in ACR.
const TRIES: usize = 3;
/// The wait before the second try; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(500);

#[async_trait]
impl Downloads for Web {
    async fn get(
        &self,
        url: &str,
        access: &Access,
        mark: Option<&str>,
    ) -> Result<Download, DownloadError> {
        let url = Url::parse(url).map_err(|error| DownloadError::Refused(error.to_string()))?;
        let back_off = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_jitter()
            .with_max_times(TRIES - 1);
        (|| follow(&url, access, mark))
            .retry(back_off)
            .when(may_pass)
            .await
    }
}

/// Says whether another try may succeed.
fn may_pass(error: &DownloadError) -> bool {
    match error {
        DownloadError::Unreachable(_) => true,
        DownloadError::Status(code) => *code >= 500 || *code == 429,
        DownloadError::Refused(_) | DownloadError::Unchanged => false,
    }
}

/// Asks, and goes where the answer leads.
async fn follow(
    start: &Url,
    access: &Access,
    mark: Option<&str>,
) -> Result<Download, DownloadError> {
    let mut url = start.clone();
    for _ in 0..=MOST_REDIRECTS {
        let addresses = permitted(&url, access.allow_private).await;
        let addresses = addresses.map_err(barred)?;
        let is_own = url.origin() == start.origin();
        let response = ask(&url, &addresses, access, (is_own, mark)).await?;
        match redirected(&url, &response)? {
            Some(next) => url = next,
            None => return taken(response),
        }
    }
    Err(DownloadError::Refused(format!(
        "it led on more than {MOST_REDIRECTS} times"
    )))
}

fn barred(why: Barred) -> DownloadError {
    match why {
        Barred::Unknown(_) => DownloadError::Unreachable(why.to_string()),
        Barred::NoHost | Barred::Private(..) => DownloadError::Refused(why.to_string()),
    }
}

/// Asks one server. The addresses that were checked are the ones that are used, whatever the name says a moment later.
async fn ask(
    url: &Url,
    addresses: &[SocketAddr],
    access: &Access,
    (is_own, mark): (bool, Option<&str>),
) -> Result<Response, DownloadError> {
    let unreachable = |error: reqwest::Error| DownloadError::Unreachable(in_words(error));
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .no_gzip()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE)
        .resolve_to_addrs(url.host_str().unwrap_or_default(), addresses)
        .build()
        .map_err(unreachable)?;
    let mut url = url.clone();
    if let Some(query) = access
        .query
        .as_ref()
        .filter(|_| is_own && url.query().is_none())
    {
        url.set_query(Some(query.expose_secret()));
    }
    let mut request = client.get(url);
    if let Some(login) = access.login.as_ref().filter(|_| is_own) {
        request = request.basic_auth(&login.username, Some(login.password.expose_secret()));
    }
    if let Some(mark) = mark {
        request = request.header(header::IF_NONE_MATCH, mark);
    }
    request.send().await.map_err(unreachable)
}

/// The whole chain of what went wrong: the outermost says little. The address is left out, for it may be secret.
fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        words = inner.to_string();
        source = inner.source();
    }
    words
}

/// Says where an answer leads, if it does: never from https to http, never to anything but the web.
fn redirected(from: &Url, response: &Response) -> Result<Option<Url>, DownloadError> {
    if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION);
    let next = location
        .and_then(|it| it.to_str().ok())
        .and_then(|it| from.join(it).ok())
        .ok_or_else(|| DownloadError::Refused("it leads nowhere".to_owned()))?;
    let is_fine = match next.scheme() {
        "https" => true,
        "http" => from.scheme() == "http",
        _ => false,
    };
    match is_fine {
        true => Ok(Some(next)),
        false => Err(DownloadError::Refused(format!(
            "it leads from {} to {}",
            from.scheme(),
            next.scheme()
        ))),
    }
}

fn taken(response: Response) -> Result<Download, DownloadError> {
    match response.status() {
        StatusCode::NOT_MODIFIED => return Err(DownloadError::Unchanged),
        status if !status.is_success() => return Err(DownloadError::Status(status.as_u16())),
        _ => {}
    }
    let etag = response.headers().get(header::ETAG);
    let etag = etag.and_then(|it| it.to_str().ok()).map(str::to_owned);
    let bytes = response.content_length();
    let body = response.bytes_stream();
    Ok(Download {
        body: body
            .map_err(|error| io::Error::other(in_words(error)))
            .boxed(),
        bytes,
        etag,
    })
}
