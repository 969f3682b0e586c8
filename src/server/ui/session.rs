//! Who looks at the pages: a sealed cookie holds the token that they signed in with.
//!
//! Nothing is kept of a session: any server that has the key opens it, and a token that is revoked ends it at once.

use std::sync::LazyLock;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::failure::Failure;
use crate::{
    app::AppError,
    ports::{Role, Sealed, TokenRow},
    server::{Api, access::Caller},
};

/// The cookie's name.
const COOKIE: &str = "careen_session";
/// What a sealed session is bound to.
const ROW: &str = "browser session";
/// How long a session lasts.
const DAYS: i64 = 7;
/// Random bytes of what proves that a form is ours.
const PROOF_BYTES: usize = 24;

/// Proves forms where nobody signs in: other sites cannot read it.
static OPEN_PROOF: LazyLock<String> = LazyLock::new(draw_proof);

/// Who looks at a page.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    /// Who they are to the rest of the server.
    pub caller: Caller,
    /// What every form must bring back.
    pub proof: String,
    /// Whether there is a session to leave.
    pub is_signed_in: bool,
}

/// What a cookie holds, sealed.
#[derive(Serialize, Deserialize)]
struct Session {
    token: String,
    proof: String,
    until: DateTime<Utc>,
}

impl Viewer {
    /// Says whether they may do what needs this role.
    pub fn may(&self, role: Role) -> bool {
        self.caller.role >= role
    }

    /// Says whether a form was made by a page of theirs.
    pub fn proves(&self, proof: &str) -> bool {
        self.proof.as_bytes().ct_eq(proof.as_bytes()).into()
    }
}

/// Finds who looks; who did not sign in is shown where to.
pub(super) async fn require(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let viewer = match viewer(&api, request.headers()).await {
        Ok(Some(viewer)) => viewer,
        Ok(None) => return ask_to_sign_in(&request),
        Err(error) => return Failure::from(error).into_response(),
    };
    request.extensions_mut().insert(viewer.caller.clone());
    request.extensions_mut().insert(viewer.clone());
    let mut response = next.run(request).await;
    // The audit log, which lies around this, reads it from the answer.
    response.extensions_mut().insert(viewer.caller);
    response
}

/// Finds who looks at a page by their cookie.
pub(super) async fn viewer(api: &Api, headers: &HeaderMap) -> Result<Option<Viewer>, AppError> {
    if let Some(session) = session(api, headers)
        && let Some(token) = api.app.authenticate(&session.token.into()).await?
    {
        return Ok(Some(Viewer {
            caller: caller(&token),
            proof: session.proof,
            is_signed_in: true,
        }));
    }
    Ok(api.terms.is_open.then(|| Viewer {
        caller: Caller {
            who: "anonymous".to_owned(),
            role: Role::Admin,
            credentials: None,
        },
        proof: OPEN_PROOF.clone(),
        is_signed_in: false,
    }))
}

/// Makes the cookie of a new session; `None` when the token is no good.
pub(super) async fn begin(
    api: &Api,
    token: SecretString,
    is_https: bool,
) -> Result<Option<(String, Caller)>, AppError> {
    let Some(found) = api.app.authenticate(&token).await? else {
        return Ok(None);
    };
    let session = Session {
        token: token.expose_secret().to_owned(),
        proof: draw_proof(),
        until: api.app.ports.clock.now() + TimeDelta::days(DAYS),
    };
    let text = serde_json::to_string(&session).expect("a session is plain text");
    let sealed = api.app.vault.seal(ROW, &text.into())?;
    let (key, bytes) = (BASE64.encode(&sealed.key_id), BASE64.encode(&sealed.bytes));
    let age = TimeDelta::days(DAYS).num_seconds();
    let cookie = cookie(&format!("{key}.{bytes}"), age, is_https);
    Ok(Some((cookie, caller(&found))))
}

/// The cookie that ends a session.
pub(super) fn ending() -> String {
    cookie("", 0, false)
}

fn cookie(value: &str, age: i64, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

fn session(api: &Api, headers: &HeaderMap) -> Option<Session> {
    let (key, bytes) = cookie_of(headers)?.split_once('.')?;
    let sealed = Sealed {
        key_id: String::from_utf8(BASE64.decode(key).ok()?).ok()?,
        bytes: BASE64.decode(bytes).ok()?,
    };
    let text = api.app.vault.open(ROW, &sealed).ok()?;
    let session: Session = serde_json::from_str(text.expose_secret()).ok()?;
    (api.app.ports.clock.now() < session.until).then_some(session)
}

fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    all.filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

fn caller(token: &TokenRow) -> Caller {
    Caller {
        who: format!("{} ({})", token.name, token.id),
        role: token.role,
        credentials: token.credentials.clone(),
    }
}

/// A page leads to where one signs in; scripts and forms are told no.
fn ask_to_sign_in(request: &Request) -> Response {
    let headers = request.headers();
    let says = |name, word| {
        let value = headers.get(name);
        value.is_some_and(|it: &header::HeaderValue| it.to_str().is_ok_and(|it| it.contains(word)))
    };
    if *request.method() != Method::GET || !says(header::ACCEPT, "text/html") {
        return (StatusCode::UNAUTHORIZED, "sign in first").into_response();
    }
    let from_elsewhere = says(
        header::HeaderName::from_static("sec-fetch-site"),
        "cross-site",
    );
    if from_elsewhere && cookie_of(headers).is_none() {
        // A link on another site brings no strict cookie along; the same request made by a page of ours does.
        return Html(
            "<!doctype html><meta http-equiv=\"refresh\" content=\"0\"><title>careen</title>",
        )
        .into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |it| it.as_str());
    let query: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    Redirect::to(&format!("/login?next={query}")).into_response()
}

fn draw_proof() -> String {
    let mut bytes = [0; PROOF_BYTES];
    rand::rng().fill(&mut bytes[..]);
    BASE64.encode(bytes)
}
