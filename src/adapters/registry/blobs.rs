//! Blobs: looked for, read with their digest checked, written, taken over from other repositories.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use reqwest::{
    Method, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
};
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    HttpRegistry, Scope,
    call::{Call, join},
    manifests::location,
    refusals::{About, refused, unsent},
    trust, uploads,
};
use crate::ports::{Blob, BlobStream, RegistryError, Repository, Right, Upload, hex_digest, whole};

fn path(at: &Repository, digest: &str) -> String {
    format!("v2/{}/blobs/{digest}", at.path)
}

/// Says whether a blob is there.
pub(super) async fn is_there(
    registry: &HttpRegistry,
    at: &Repository,
    digest: &str,
) -> Result<bool, RegistryError> {
    let call = Call {
        at,
        scope: Scope::PULL,
        about: About::Blob(digest),
        method: Method::HEAD,
        path: path(at, digest),
        dress: &|request| request,
    };
    match registry.send(&call).await {
        Ok(_) => Ok(true),
        Err(RegistryError::NoSuchBlob { .. } | RegistryError::NoSuchRepository { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a blob; its stream ends with an error when its bytes are not those of its digest.
pub(super) async fn open(
    registry: &HttpRegistry,
    at: &Repository,
    digest: &str,
) -> Result<BlobStream, RegistryError> {
    let call = Call {
        at,
        scope: Scope::PULL,
        about: About::Blob(digest),
        method: Method::GET,
        path: path(at, digest),
        dress: &|request| request,
    };
    let response = registry.send(&call).await?;
    Ok(checked(response, at.host.clone(), digest.to_owned()))
}

fn checked(response: Response, host: String, digest: String) -> BlobStream {
    let url = response.url().clone();
    let pieces = response
        .bytes_stream()
        .map_err(move |error| unsent(&url, &error));
    let begun = (pieces.boxed(), Some(Sha256::new()));
    stream::try_unfold(begun, move |(mut pieces, hash)| {
        let (host, digest) = (host.clone(), digest.clone());
        async move {
            let Some(mut hash) = hash else {
                return Ok(None);
            };
            if let Some(piece) = pieces.try_next().await? {
                hash.update(&piece);
                return Ok(Some((piece, (pieces, Some(hash)))));
            }
            let is_right = hex_digest(&hash.finalize()) == digest || !digest.starts_with("sha256:");
            match is_right {
                true => Ok(None),
                false => Err(RegistryError::Corrupt { host, digest }),
            }
        }
    })
    .boxed()
}

/// Asks to write a blob, or to take it over from another repository.
pub(super) async fn begin(
    registry: &HttpRegistry,
    at: &Repository,
    digest: &str,
    from: Option<&str>,
) -> Result<Upload, RegistryError> {
    let query = match from {
        Some(from) => format!("?mount={digest}&from={from}"),
        None => String::new(),
    };
    let scope = Scope {
        right: Right::Push,
        from,
    };
    let call = Call {
        at,
        scope,
        about: About::Repository,
        method: Method::POST,
        path: format!("v2/{}/blobs/uploads/{query}", at.path),
        dress: &|request| request.header(CONTENT_LENGTH, 0),
    };
    let response = registry.send(&call).await?;
    // The bytes cannot be sent twice, so the login that was good for this must be at hand for them.
    registry.tokens.lend(at, &scope, &Scope::PUSH);
    if response.status() == StatusCode::CREATED {
        return Ok(Upload::Mounted);
    }
    let place = location(&response).and_then(|it| response.url().join(&it).ok());
    place
        .map(|url| Upload::Open(url.into()))
        .ok_or_else(|| odd(at, "it opens no upload".to_owned()))
}

/// Sends the bytes of a blob.
pub(super) async fn write(
    registry: &HttpRegistry,
    at: &Repository,
    (upload, blob): (&str, &Blob),
    bytes: BlobStream,
) -> Result<(), RegistryError> {
    let part = Part {
        at,
        method: Method::PUT,
        url: ended(address(at, upload)?, &blob.digest),
        about: About::Blob(&blob.digest),
        length: Some(blob.size_bytes),
    };
    part.send(registry, bytes).await.map(drop)
}

/// Sends bytes as they come, and their digest after the last of them.
pub(super) async fn stream(
    registry: &HttpRegistry,
    at: &Repository,
    bytes: BlobStream,
    digest: BoxFuture<'_, Option<String>>,
) -> Result<(), RegistryError> {
    let Upload::Open(upload) = begin(registry, at, "", None).await? else {
        return Err(odd(at, "it opens no upload".to_owned()));
    };
    let part = Part {
        at,
        method: Method::PATCH,
        url: address(at, &upload)?,
        about: About::Repository,
        length: None,
    };
    let streamed = part.send(registry, bytes).await;
    let digest = match streamed.is_ok() {
        true => digest.await,
        false => None,
    };
    let (Ok(response), Some(digest)) = (&streamed, digest) else {
        // One that is not canceled is dropped by the registry after a while.
        let _ = cancel(registry, at, &upload).await;
        return streamed.map(drop);
    };
    let next = location(response).and_then(|it| response.url().join(&it).ok());
    let part = Part {
        at,
        method: Method::PUT,
        url: ended(next.unwrap_or(part.url), &digest),
        about: About::Blob(&digest),
        length: Some(0),
    };
    part.send(registry, whole(Bytes::new())).await.map(drop)
}

/// The address at which an upload ends.
fn ended(mut upload: Url, digest: &str) -> Url {
    upload.query_pairs_mut().append_pair("digest", digest);
    upload
}

/// A request that carries bytes of an upload; they cannot be sent twice.
struct Part<'a> {
    at: &'a Repository,
    method: Method,
    url: Url,
    about: About<'a>,
    /// How many bytes, where that is known.
    length: Option<u64>,
}

impl Part<'_> {
    async fn send(
        &self,
        registry: &HttpRegistry,
        bytes: BlobStream,
    ) -> Result<Response, RegistryError> {
        let (at, url) = (self.at, &self.url);
        let host = registry.host(&at.host).await?;
        let permitted = trust::permit(&host.base, url).await?;
        let request = host.uploads.request(self.method.clone(), url.clone());
        let mut request = request.header(CONTENT_TYPE, "application/octet-stream");
        if let Some(length) = self.length {
            request = request.header(CONTENT_LENGTH, length);
        }
        let header = registry.tokens.find(at, &Scope::PUSH);
        if let (Some(header), true) = (header, permitted.is_own) {
            request = request.header(AUTHORIZATION, header);
        }
        let response = uploads::send(request, url, bytes).await?;
        match response.status() {
            status if status.is_success() => Ok(response),
            // The token ended meanwhile; the next try asks for another.
            StatusCode::UNAUTHORIZED => {
                registry.tokens.forget(at, &Scope::PUSH);
                Err(interrupted(at, "the login ended during an upload"))
            }
            // The registry forgot the upload, as it does when it is restarted.
            StatusCode::NOT_FOUND => Err(interrupted(at, "the upload is no longer known there")),
            _ => Err(refused(response, (at, &Scope::PUSH), self.about).await),
        }
    }
}

fn interrupted(at: &Repository, reason: &str) -> RegistryError {
    RegistryError::Busy {
        host: at.host.clone(),
        reason: reason.to_owned(),
        retry_after: None,
    }
}

fn address(at: &Repository, upload: &str) -> Result<Url, RegistryError> {
    let parsed = Url::parse(upload);
    parsed.map_err(|error| odd(at, format!("its upload is at no address: {error}")))
}

fn odd(at: &Repository, reason: String) -> RegistryError {
    RegistryError::Odd {
        host: at.host.clone(),
        reason,
    }
}

/// Gives an upload up; a registry that cannot do so drops it after a while.
pub(super) async fn cancel(
    registry: &HttpRegistry,
    at: &Repository,
    upload: &str,
) -> Result<(), RegistryError> {
    let host = registry.host(&at.host).await?;
    let url = address(at, upload)?;
    if url.origin() != host.base.origin() {
        return Ok(());
    }
    let call = Call {
        at,
        scope: Scope::PUSH,
        about: About::Repository,
        method: Method::DELETE,
        path: join(&host, upload)?.into(),
        dress: &|request| request,
    };
    registry.send(&call).await.map(drop)
}
