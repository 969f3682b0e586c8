//! One call of a registry: its login, its redirects, its patience.

use backon::{ExponentialBuilder, Retryable};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, HeaderValue, LOCATION},
};
use url::Url;

use super::{
    HttpRegistry, Scope, challenge,
    host::Host,
    refusals::{About, denied, refused, unsent},
    trust,
};
use crate::ports::{RegistryError, Repository};

/// Tries of one call after the first.
const MORE_TRIES: usize = 4;
/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// A request that can be sent more than once.
pub(super) struct Call<'a> {
    pub(super) at: &'a Repository,
    pub(super) scope: Scope<'a>,
    pub(super) about: About<'a>,
    pub(super) method: Method,
    /// The path behind the host, with its query.
    pub(super) path: String,
    /// What else stands in the request.
    pub(super) dress: &'a (dyn Fn(RequestBuilder) -> RequestBuilder + Send + Sync),
}

impl HttpRegistry {
    /// Sends a call until it has an answer that is no passing fault; every answer that is returned is a good one.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Response, RegistryError> {
        self.patiently(|| self.send_once(call)).await
    }

    /// Does something again while that may help, and waits as long as the registry asks, within reason.
    pub(super) async fn patiently<T, F>(
        &self,
        attempt: impl FnMut() -> F,
    ) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, RegistryError>>,
    {
        let longest = self.terms.longest_wait;
        let patience = ExponentialBuilder::default()
            .with_min_delay(self.terms.first_wait)
            .with_max_delay(longest)
            .with_max_times(MORE_TRIES)
            .with_jitter();
        attempt
            .retry(patience)
            .when(RegistryError::is_passing)
            .adjust(|error, wait| wait.map(|it| error.retry_after().unwrap_or(it).min(longest)))
            .await
    }

    /// Sends a call once; for callers that are patient themselves.
    pub(super) async fn send_once(&self, call: &Call<'_>) -> Result<Response, RegistryError> {
        let host = self.host(&call.at.host).await?;
        let url = join(&host, &call.path)?;
        let whom = (call.at, &call.scope);
        let mut header = self.tokens.find(call.at, &call.scope);
        let mut has_answered = false;
        loop {
            let response = follow(&host, call, &url, header.as_ref()).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return accept(response, call).await;
            }
            self.tokens.forget(call.at, &call.scope);
            let wanted = challenge::read(response.headers());
            match wanted {
                Some(wanted) if !has_answered => {
                    header = Some(self.answer(&host, whom, &wanted).await?);
                    has_answered = true;
                }
                Some(challenge::Challenge::Basic) => {
                    return Err(wrong_password(response, call).await);
                }
                _ => return Err(refused(response, whom, call.about).await),
            }
        }
    }
}

async fn accept(response: Response, call: &Call<'_>) -> Result<Response, RegistryError> {
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    Err(refused(response, (call.at, &call.scope), call.about).await)
}

/// A registry that has just been shown the password and still asks for it does not take it.
async fn wrong_password(response: Response, call: &Call<'_>) -> RegistryError {
    let whom = (call.at, &call.scope);
    let reason = match refused(response, whom, call.about).await {
        RegistryError::Denied { reason, .. } => reason,
        other => return other,
    };
    match &call.at.login {
        Some(login) => RegistryError::LoginRefused {
            host: call.at.host.clone(),
            username: login.username.clone(),
            reason,
        },
        None => denied(whom, reason),
    }
}

/// Sends a request and goes where it leads, as far as that is safe; the login stays at home.
async fn follow(
    host: &Host,
    call: &Call<'_>,
    url: &Url,
    header: Option<&HeaderValue>,
) -> Result<Response, RegistryError> {
    let mut url = url.clone();
    let mut is_own = true;
    for _ in 0..REDIRECTS {
        let mut request = (call.dress)(builder(&host.client, &call.method, &url));
        if let (Some(header), true) = (header, is_own) {
            request = request.header(AUTHORIZATION, header.clone());
        }
        let response = request.send().await.map_err(|error| unsent(&url, &error))?;
        let Some(next) = redirected(&response, &url) else {
            return Ok(response);
        };
        is_own = trust::permit(&host.base, &next).await?.is_own;
        url = next;
    }
    Err(RegistryError::Odd {
        host: call.at.host.clone(),
        reason: "it sends us round in circles".to_owned(),
    })
}

fn builder(client: &Client, method: &Method, url: &Url) -> RequestBuilder {
    client.request(method.clone(), url.clone())
}

fn redirected(response: &Response, url: &Url) -> Option<Url> {
    let status = response.status();
    let leads_on = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
    let target = response.headers().get(LOCATION)?.to_str().ok()?;
    leads_on.then(|| url.join(target).ok()).flatten()
}

/// Puts a path behind a host.
pub(super) fn join(host: &Host, path: &str) -> Result<Url, RegistryError> {
    host.base.join(path).map_err(|error| RegistryError::Odd {
        host: host.base.authority().to_owned(),
        reason: format!("{path} is no path: {error}"),
    })
}
