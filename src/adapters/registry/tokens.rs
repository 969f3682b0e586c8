//! What is shown to registries: passwords, and tokens that are kept until they expire.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, HeaderValue},
    redirect::Policy,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::{
    HttpRegistry, Scope,
    challenge::Challenge,
    host::Host,
    refusals::{limited, message, unsent, wait_asked},
    trust,
};
use crate::ports::{RegistryError, RegistryLogin, Repository, sha256};

/// How long a token is good when its service does not say, as the protocol has it.
const DEFAULT_SECONDS: u64 = 60;
/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(10);
/// The user name under which docker's file keeps a token that stands for a login.
const IDENTITY_TOKEN: &str = "<token>";
/// The largest answer of a token service that is read.
const TOKEN_BYTES: usize = 1 << 20;
/// How long a token service may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Headers by whom they are for and what they allow.
#[derive(Default)]
pub(super) struct Tokens {
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    header: HeaderValue,
    until: Option<Instant>,
}

impl Tokens {
    /// Finds a header that still holds.
    pub(super) fn find(&self, at: &Repository, scope: &Scope<'_>) -> Option<HeaderValue> {
        let kept = self.kept.lock().expect("no one panics with this lock");
        let found = kept.get(&key(at, scope))?;
        let holds = found.until.is_none_or(|until| Instant::now() < until);
        holds.then(|| found.header.clone())
    }

    /// Forgets a header that a registry no longer takes.
    pub(super) fn forget(&self, at: &Repository, scope: &Scope<'_>) {
        let mut kept = self.kept.lock().expect("no one panics with this lock");
        kept.remove(&key(at, scope));
    }

    /// Uses the header of one scope for another that is no wider.
    pub(super) fn lend(&self, at: &Repository, from: &Scope<'_>, to: &Scope<'_>) {
        let mut kept = self.kept.lock().expect("no one panics with this lock");
        if let Some(found) = kept.get(&key(at, from)).cloned() {
            kept.insert(key(at, to), found);
        }
    }

    fn keep(&self, at: &Repository, scope: &Scope<'_>, found: Kept) {
        let mut kept = self.kept.lock().expect("no one panics with this lock");
        kept.retain(|_, it| it.until.is_none_or(|until| Instant::now() < until));
        kept.insert(key(at, scope), found);
    }
}

fn key(at: &Repository, scope: &Scope<'_>) -> String {
    let login = at.login.as_ref().map_or(String::new(), |login| {
        let secret = sha256(login.password.expose_secret().as_bytes());
        format!("{} {secret}", login.username)
    });
    format!("{}\n{login}\n{}", at.host, scope.words(at).join(" "))
}

impl HttpRegistry {
    /// Answers a challenge with a header, or says why there is none.
    pub(super) async fn answer(
        &self,
        host: &Host,
        (at, scope): (&Repository, &Scope<'_>),
        challenge: &Challenge,
    ) -> Result<HeaderValue, RegistryError> {
        let kept = match (challenge, &at.login) {
            (Challenge::Basic, None) => return Err(no_login(at, scope)),
            (Challenge::Basic, Some(login)) => Kept {
                header: basic(login),
                until: None,
            },
            (
                Challenge::Bearer {
                    realm,
                    service,
                    scope: asked,
                },
                _,
            ) => {
                let words = merged(scope.words(at), asked.as_deref());
                let wish = Wish {
                    realm,
                    service: service.as_deref(),
                    scopes: &words,
                };
                token(host, (at, scope), &wish).await?
            }
        };
        let header = kept.header.clone();
        self.tokens.keep(at, scope, kept);
        Ok(header)
    }
}

/// A token to ask for.
struct Wish<'a> {
    realm: &'a str,
    service: Option<&'a str>,
    scopes: &'a [String],
}

/// What is asked for, and what the registry says it wants where that is something else.
fn merged(mut own: Vec<String>, asked: Option<&str>) -> Vec<String> {
    let name = |scope: &str| scope.rsplit_once(':').map(|(name, _)| name.to_owned());
    for scope in asked
        .unwrap_or_default()
        .split(' ')
        .filter(|it| !it.is_empty())
    {
        if !own.iter().any(|it| name(it) == name(scope)) {
            own.push(scope.to_owned());
        }
    }
    own
}

fn no_login(at: &Repository, scope: &Scope<'_>) -> RegistryError {
    RegistryError::NoLogin {
        host: at.host.clone(),
        repository: at.path.clone(),
        right: scope.right,
    }
}

fn basic(login: &RegistryLogin) -> HeaderValue {
    let pair = format!("{}:{}", login.username, login.password.expose_secret());
    let text = format!("Basic {}", BASE64_STANDARD.encode(pair));
    sensitive(&text)
}

fn sensitive(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

async fn token(
    host: &Host,
    (at, scope): (&Repository, &Scope<'_>),
    wish: &Wish<'_>,
) -> Result<Kept, RegistryError> {
    let odd = |reason: String| RegistryError::Odd {
        host: at.host.clone(),
        reason,
    };
    let realm = Url::parse(wish.realm)
        .map_err(|error| odd(format!("its token service {:?}: {error}", wish.realm)))?;
    let permitted = trust::permit(&host.base, &realm).await?;
    let client = if permitted.is_own {
        host.client.clone()
    } else {
        pinned(&realm, &permitted.addresses).map_err(odd)?
    };
    let asked = Instant::now();
    let request = request(&client, realm.clone(), wish, at.login.as_ref());
    let response = request
        .timeout(TIMEOUT)
        .send()
        .await
        .map_err(|error| unsent(&realm, &error))?;
    let (status, wait) = (response.status(), wait_asked(response.headers()));
    let body = limited(response, TOKEN_BYTES).await?;
    if !status.is_success() {
        let reason = message(&body);
        return Err(refused(status, (at, scope), reason, wait));
    }
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|_| odd("its token service sends no token".to_owned()))?;
    let token = answer.token.or(answer.access_token);
    let token = token.ok_or_else(|| odd("its token service sends no token".to_owned()))?;
    let seconds = answer
        .expires_in
        .unwrap_or(DEFAULT_SECONDS)
        .max(DEFAULT_SECONDS);
    Ok(Kept {
        header: sensitive(&format!("Bearer {token}")),
        until: Some(asked + Duration::from_secs(seconds) - MARGIN),
    })
}

/// A client for the addresses that were checked, whatever their name stands for a moment later.
fn pinned(realm: &Url, addresses: &[std::net::SocketAddr]) -> Result<Client, String> {
    let mut builder = Client::builder().redirect(Policy::none());
    if let (Some(name), false) = (realm.host_str(), addresses.is_empty()) {
        builder = builder.resolve_to_addrs(name, addresses);
    }
    builder.build().map_err(|error| error.to_string())
}

fn request(
    client: &Client,
    mut realm: Url,
    wish: &Wish<'_>,
    login: Option<&RegistryLogin>,
) -> RequestBuilder {
    if let Some(login) = login.filter(|it| it.username == IDENTITY_TOKEN) {
        let scope = wish.scopes.join(" ");
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "careen"),
            ("service", wish.service.unwrap_or_default()),
            ("scope", scope.as_str()),
            ("refresh_token", login.password.expose_secret()),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        return client
            .post(realm)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
    }
    {
        let mut query = realm.query_pairs_mut();
        query.extend_pairs(wish.service.map(|it| ("service", it)));
        query.extend_pairs(wish.scopes.iter().map(|it| ("scope", it)));
        query.extend_pairs(login.map(|it| ("account", it.username.as_str())));
    }
    let request = client.get(realm);
    match login {
        Some(login) => request.header(AUTHORIZATION, basic(login)),
        None => request,
    }
}

fn refused(
    status: StatusCode,
    (at, scope): (&Repository, &Scope<'_>),
    reason: String,
    wait: Option<Duration>,
) -> RegistryError {
    let host = at.host.clone();
    match (status, &at.login) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => no_login(at, scope),
        (
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST,
            Some(login),
        ) => RegistryError::LoginRefused {
            host,
            username: login.username.clone(),
            reason,
        },
        (status, _) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            RegistryError::Busy {
                host,
                reason: format!("its token service answers {status}"),
                retry_after: wait,
            }
        }
        (status, _) => RegistryError::Odd {
            host,
            reason: format!("its token service answers {status}"),
        },
    }
}
