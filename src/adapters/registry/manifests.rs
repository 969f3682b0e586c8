//! Manifests: looked at, got, written, deleted.

use reqwest::{
    Method, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH},
};

use super::{
    HttpRegistry, Scope,
    call::Call,
    refusals::{About, limited},
    tags,
};
use crate::ports::{Head, Manifest, RegistryError, Repository};

/// Every kind of manifest there is; a registry that is asked for fewer makes others up, with other digests.
const KINDS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.artifact.manifest.v1+json, */*;q=0.1";
/// The header in which registries name digests.
const DIGEST: &str = "docker-content-digest";
/// The largest manifest that is read; registries take no more than 4 MiB themselves.
const MANIFEST_BYTES: usize = 8 << 20;

fn path(at: &Repository, name: &str) -> String {
    format!("v2/{}/manifests/{name}", at.path)
}

/// Looks at a manifest without taking it.
pub(super) async fn head(
    registry: &HttpRegistry,
    at: &Repository,
    name: &str,
    etag: Option<&str>,
) -> Result<Head, RegistryError> {
    let looked = registry.patiently(|| head_once(registry, at, name, etag));
    match looked.await {
        Ok(found) => Ok(found),
        Err(error) => Err(explained(registry, at, error).await),
    }
}

/// Looks at a manifest once.
pub(super) async fn head_once(
    registry: &HttpRegistry,
    at: &Repository,
    name: &str,
    etag: Option<&str>,
) -> Result<Head, RegistryError> {
    let call = Call {
        at,
        scope: Scope::PULL,
        about: About::Manifest(name),
        method: Method::HEAD,
        path: path(at, name),
        dress: &|request| match etag {
            Some(etag) => request.header(ACCEPT, KINDS).header(IF_NONE_MATCH, etag),
            None => request.header(ACCEPT, KINDS),
        },
    };
    let response = registry.send_once(&call).await?;
    if response.status() == StatusCode::NOT_MODIFIED {
        return Ok(Head::Unchanged);
    }
    let headers = response.headers();
    let Some(digest) = text(headers, DIGEST) else {
        // Few registries name no digest; theirs is computed.
        let manifest = get_once(registry, at, name).await?;
        return Ok(Head::Found {
            digest: manifest.digest,
            media_type: manifest.media_type,
            etag: None,
        });
    };
    let etag = text(headers, ETAG.as_str());
    Ok(Head::Found {
        digest: digest.clone(),
        media_type: media_type(headers),
        // A registry without entity tags, or with one that forgets to send it, has the digest for one.
        etag: etag.or(Some(format!("\"{digest}\""))),
    })
}

/// Gets a manifest and checks its digest.
pub(super) async fn get(
    registry: &HttpRegistry,
    at: &Repository,
    name: &str,
) -> Result<Manifest, RegistryError> {
    let got = registry.patiently(|| get_once(registry, at, name)).await;
    match got {
        Ok(manifest) => Ok(manifest),
        Err(error) => Err(explained(registry, at, error).await),
    }
}

async fn get_once(
    registry: &HttpRegistry,
    at: &Repository,
    name: &str,
) -> Result<Manifest, RegistryError> {
    let call = Call {
        at,
        scope: Scope::PULL,
        about: About::Manifest(name),
        method: Method::GET,
        path: path(at, name),
        dress: &|request| request.header(ACCEPT, KINDS),
    };
    let response = registry.send_once(&call).await?;
    let said = text(response.headers(), DIGEST);
    let kind = media_type(response.headers());
    let mut manifest = Manifest::new(kind, limited(response, MANIFEST_BYTES).await?);
    if let Some(own) = manifest.contents().ok().and_then(|it| it.media_type) {
        manifest.media_type = own;
    }
    let wanted = name.contains(':').then(|| name.to_owned()).or(said);
    match wanted {
        Some(digest) if digest.starts_with("sha256:") && digest != manifest.digest => {
            Err(RegistryError::Corrupt {
                host: at.host.clone(),
                digest,
            })
        }
        _ => Ok(manifest),
    }
}

/// Writes a manifest.
pub(super) async fn put(
    registry: &HttpRegistry,
    at: &Repository,
    name: &str,
    manifest: &Manifest,
) -> Result<(), RegistryError> {
    let call = Call {
        at,
        scope: Scope::PUSH,
        about: About::Repository,
        method: Method::PUT,
        path: path(at, name),
        dress: &|request| {
            request
                .header(CONTENT_TYPE, &manifest.media_type)
                .body(manifest.bytes.clone())
        },
    };
    let response = registry.send(&call).await?;
    match text(response.headers(), DIGEST) {
        Some(digest) if digest.starts_with("sha256:") && digest != manifest.digest => {
            Err(RegistryError::Corrupt {
                host: at.host.clone(),
                digest: manifest.digest.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// Deletes a manifest.
pub(super) async fn delete(
    registry: &HttpRegistry,
    at: &Repository,
    digest: &str,
) -> Result<(), RegistryError> {
    let call = Call {
        at,
        scope: Scope::DELETE,
        about: About::Manifest(digest),
        method: Method::DELETE,
        path: path(at, digest),
        dress: &|request| request,
    };
    registry.send(&call).await.map(drop)
}

/// Tells a tag that is missing from a repository that is missing: registries say the same of both, but list no tags
/// of what is not there.
async fn explained(
    registry: &HttpRegistry,
    at: &Repository,
    error: RegistryError,
) -> RegistryError {
    match error {
        RegistryError::NoSuchTag { .. } => match tags::list(registry, at).await {
            Err(none @ RegistryError::NoSuchRepository { .. }) => none,
            _ => error,
        },
        other => other,
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let text = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let bare = text.split(';').next().unwrap_or_default();
    bare.trim().to_owned()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// The address that a response leads to, for uploads.
pub(super) fn location(response: &Response) -> Option<String> {
    text(response.headers(), "location")
}
