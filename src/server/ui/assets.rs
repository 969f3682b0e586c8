//! Style sheet, scripts and icon: embedded, and named by what they hold, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// A file that pages ask for.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    hash: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let script = "text/javascript; charset=utf-8";
    vec![
        asset(
            "careen.css",
            "text/css; charset=utf-8",
            include_bytes!("../../../assets/careen.css"),
        ),
        asset(
            "careen.js",
            script,
            include_bytes!("../../../assets/careen.js"),
        ),
        asset("log.js", script, include_bytes!("../../../assets/log.js")),
        asset(
            "editor.js",
            script,
            include_bytes!("../../../assets/editor.js"),
        ),
        asset(
            "icon.svg",
            "image/svg+xml",
            include_bytes!("../../../assets/icon.svg"),
        ),
    ]
});

fn asset(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = Sha256::digest(bytes);
    let hash = digest[..8].iter().map(|it| format!("{it:02x}")).collect();
    Asset {
        name,
        kind,
        bytes,
        hash,
    }
}

/// The address of an asset; it changes with the content.
pub(super) fn url(name: &str) -> String {
    let found = ASSETS.iter().find(|it| it.name == name);
    let hash = found.map_or("none", |it| it.hash.as_str());
    format!("/assets/{hash}/{name}")
}

/// Serves an asset; under the hash of another version only for now.
pub(super) async fn serve(
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|it| it.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", asset.hash);
    let cache = match hash == asset.hash {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let about = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
    ];
    let known = headers.get(header::IF_NONE_MATCH);
    if known.is_some_and(|it| it.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let kind = [(header::CONTENT_TYPE, asset.kind)];
    (kind, about, asset.bytes).into_response()
}
