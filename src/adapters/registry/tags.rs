//! The registry itself and the tags of its repositories.

use reqwest::{Method, header::LINK};
use serde::Deserialize;

use super::{
    HttpRegistry, Scope,
    call::{Call, join},
    refusals::{About, limited, unsent},
};
use crate::ports::{RegistryError, Repository};

/// The largest page of tags that is read, in bytes.
const PAGE_BYTES: usize = 8 << 20;
/// The most pages that are read.
const PAGES: usize = 1_000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Reaches the registry; whatever it answers, it is there.
pub(super) async fn reach(registry: &HttpRegistry, name: &str) -> Result<bool, RegistryError> {
    let host = registry.host(name).await?;
    let url = join(&host, "v2/")?;
    let sent = host.client.get(url.clone()).send().await;
    sent.map_err(|error| unsent(&url, &error))?;
    Ok(host.base.scheme() == "https")
}

/// Logs in.
pub(super) async fn ping(registry: &HttpRegistry, at: &Repository) -> Result<(), RegistryError> {
    let nowhere = Repository {
        path: String::new(),
        ..at.clone()
    };
    let call = Call {
        at: &nowhere,
        scope: Scope::PULL,
        about: About::Registry,
        method: Method::GET,
        path: "v2/".to_owned(),
        dress: &|request| request,
    };
    registry.send(&call).await.map(drop)
}

/// Lists all tags, page by page.
pub(super) async fn list(
    registry: &HttpRegistry,
    at: &Repository,
) -> Result<Vec<String>, RegistryError> {
    let mut tags = Vec::new();
    let mut path = format!("v2/{}/tags/list", at.path);
    for _ in 0..PAGES {
        let call = Call {
            at,
            scope: Scope::PULL,
            about: About::Repository,
            method: Method::GET,
            path,
            dress: &|request| request,
        };
        let response = registry.send(&call).await?;
        let next = response.headers().get(LINK).and_then(|it| it.to_str().ok());
        let next = next.and_then(next_page);
        let body = limited(response, PAGE_BYTES).await?;
        let page: Page = serde_json::from_slice(&body).map_err(|_| RegistryError::Odd {
            host: at.host.clone(),
            reason: "its list of tags is none".to_owned(),
        })?;
        tags.extend(page.tags.unwrap_or_default());
        match next {
            Some(next) => path = next,
            None => break,
        }
    }
    Ok(tags)
}

/// Finds the next page in a `Link` header; only its path counts, for a page is never elsewhere.
fn next_page(link: &str) -> Option<String> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = rest.replace(['"', ' '], "").contains("rel=next");
    let path = match address.split_once("://") {
        Some((_, behind)) => behind.split_once('/').map(|(_, path)| path)?,
        None => address.trim_start_matches('/'),
    };
    is_next.then(|| format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::next_page;

    #[test]
    fn the_next_page_is_on_the_same_host() {
        for (link, page) in [
            (
                r#"</v2/a/tags/list?last=b&n=2>; rel="next""#,
                Some("/v2/a/tags/list?last=b&n=2"),
            ),
            (
                r#"<https://elsewhere/v2/a/tags/list?n=2>; rel="next""#,
                Some("/v2/a/tags/list?n=2"),
            ),
            (r#"<//elsewhere/v2/a>; rel="next""#, Some("/elsewhere/v2/a")),
            (r#"</v2/a>; rel="prev""#, None),
            ("nonsense", None),
        ] {
            assert_eq!(next_page(link).as_deref(), page, "{link}");
        }
    }
}
