//! One request to the server, and what its answer means.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{app::AppError, server::ErrorBody};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A careen server.
#[derive(Clone)]
pub struct Client {
    base: Url,
    token: Option<SecretString>,
    http: reqwest::Client,
}

impl Client {
    /// Speaks to the server at an address, bearing a token. A token is not sent in clear to another machine.
    pub fn new(address: &str, token: Option<SecretString>) -> Result<Self, AppError> {
        let wrong = |why: String| {
            AppError::usage(
                format!("the server {address:?} cannot be used: {why}"),
                "Write an address such as https://careen.example.com",
            )
        };
        let base = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
        let is_near = match base.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong("it names no host".to_owned())),
        };
        match base.scheme() {
            "https" => {}
            "http" if is_near || token.is_none() => {}
            "http" => {
                return Err(wrong(
                    "over http everybody on the way would read the token".to_owned(),
                ));
            }
            other => return Err(wrong(format!("{other} is neither http nor https"))),
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self { base, token, http })
    }

    /// Begins a request to a path of the API.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request_with(method, path, &[])
    }

    /// Begins a request with parameters; those without a value are left out.
    pub(super) fn request_with(
        &self,
        method: Method,
        path: &[&str],
        parameters: &[(&str, Option<String>)],
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        for (name, value) in parameters {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    /// Sends a request; an answer that says no is an error.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, AppError> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(refusal(status, &response.text().await.unwrap_or_default()))
    }

    /// Sends a request and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, AppError> {
        let response = self.send(request).await?;
        let status = response.status();
        response.json().await.map_err(|error| AppError::Remote {
            status: status.as_u16(),
            message: format!(
                "the server's answer cannot be read: {}",
                error.without_url()
            ),
            hint: "Use the same version of careen here and there".to_owned(),
        })
    }

    /// The error for a server that does not answer.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> AppError {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            why = inner.to_string();
            source = inner.source();
        }
        AppError::Remote {
            status: 0,
            message: format!("the server {} does not answer: {why}", self.base),
            hint: "Start it with careen server, or see to --server and CAREEN_SERVER".to_owned(),
        }
    }
}

/// Reads an answer that says no.
pub(super) fn refusal(status: StatusCode, text: &str) -> AppError {
    let (message, hint) = match serde_json::from_str::<ErrorBody>(text) {
        Ok(body) => {
            let findings = body.error.findings.as_ref().and_then(|it| it.as_array());
            let findings = findings.into_iter().flatten();
            let lines = findings.filter_map(|it| it["message"].as_str());
            let lines = std::iter::once(body.error.message.as_str()).chain(lines);
            let message = lines.collect::<Vec<_>>().join("\n  ");
            (message, body.error.hint.unwrap_or_default())
        }
        Err(_) => (format!("the server answered {status}"), String::new()),
    };
    AppError::Remote {
        status: status.as_u16(),
        message,
        hint,
    }
}
