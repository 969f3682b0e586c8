//! One connection to the engine, opened at its first use.

use std::{sync::Arc, time::Duration};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use tokio::sync::OnceCell;

use crate::ports::EngineError;

use super::{
    address::Address,
    dial::{self, Dialer, EngineStream},
    errors::translate,
    ping,
    starting::Turns,
};

/// How long a call may take to be answered that has no work to wait for.
const SHORT_SECONDS: u64 = 120;

/// How long a call may take to be answered that waits for a container, a registry or an upload.
const LONG_SECONDS: u64 = 7 * 24 * 3600;

/// The oldest API that careen speaks, of Docker Engine 20.10.
const OLDEST_API: (usize, usize) = (1, 41);

/// A Docker Engine.
#[derive(Debug, Clone)]
pub struct DockerEngine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dialer: Arc<Dialer>,
    builder: Option<DockerEngine>,
    client: OnceCell<Client>,
    starts: Turns,
}

/// What the first call found out.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Calls that are answered soon.
    pub(super) docker: Docker,
    /// The API version agreed on.
    pub(super) api_version: String,
}

impl DockerEngine {
    /// Names the engine at `host`, or at `DOCKER_HOST`; it is first spoken to when it is first asked something.
    pub fn connect(host: Option<&str>) -> Result<DockerEngine, EngineError> {
        DockerEngine::connect_as(host, |name| std::env::var(name).ok())
    }

    /// As [`DockerEngine::connect`], in another environment than this process's.
    pub fn connect_as(
        host: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<DockerEngine, EngineError> {
        let address = Address::resolve(host, environment)?;
        Ok(DockerEngine::of(Arc::new(Dialer::new(address)), None))
    }

    /// Names another engine for builds that this one cannot make.
    pub fn with_builder(self, builder: DockerEngine) -> DockerEngine {
        DockerEngine::of(self.inner.dialer.clone(), Some(builder))
    }

    fn of(dialer: Arc<Dialer>, builder: Option<DockerEngine>) -> DockerEngine {
        DockerEngine {
            inner: Arc::new(Inner {
                dialer,
                builder,
                client: OnceCell::new(),
                starts: Turns::default(),
            }),
        }
    }

    /// The engine for builds that this one cannot make.
    pub(super) fn other_builder(&self) -> Option<&DockerEngine> {
        self.inner.builder.as_ref()
    }

    /// The turns of the starts on it.
    pub(super) fn starts(&self) -> &Turns {
        &self.inner.starts
    }

    /// Its address, for messages.
    pub(super) fn name(&self) -> String {
        self.address().to_string()
    }

    /// Gives the client for calls that are answered soon.
    pub(super) async fn docker(&self) -> Result<&Docker, EngineError> {
        Ok(&self.client().await?.docker)
    }

    /// Gives a client for calls whose answer may take as long as it takes.
    pub(super) async fn patient(&self) -> Result<Docker, EngineError> {
        let docker = self.docker().await?.clone();
        Ok(docker.with_timeout(Duration::from_secs(LONG_SECONDS)))
    }

    /// Gives a patient client whose builds bear more of a query than bollard's options can say.
    pub(super) async fn builder(&self, query: String) -> Result<Docker, EngineError> {
        let prefix = format!("/v{}", self.client().await?.api_version);
        let docker = self.patient().await?;
        Ok(docker.with_request_modifier(move |request| {
            let is_build = request.uri().path() == "/build";
            let query = if is_build { query.as_str() } else { "" };
            prepare(request, &prefix, query)
        }))
    }

    /// Opens a connection to say on it what the client cannot, and names the API version agreed on.
    pub(super) async fn raw(&self) -> Result<(EngineStream, &str), EngineError> {
        let version = &self.client().await?.api_version;
        let stream = self.inner.dialer.open().await;
        let stream = stream.map_err(|err| self.error(bollard::errors::Error::IOError { err }))?;
        Ok((stream, version))
    }

    /// Gives the client, agreeing on the API version at the first call.
    pub(super) async fn client(&self) -> Result<&Client, EngineError> {
        let agreed = self.inner.client.get_or_try_init(|| self.open());
        agreed.await
    }

    /// Puts an error of the client into our words.
    pub(super) fn error(&self, error: bollard::errors::Error) -> EngineError {
        translate(error, &self.address().to_string())
    }

    /// Where it is.
    pub(super) fn address(&self) -> &Address {
        self.inner.dialer.address()
    }

    async fn open(&self) -> Result<Client, EngineError> {
        let docker = client_of(&self.inner.dialer).map_err(|error| self.error(error))?;
        let offered = match ping::api_version(&self.inner.dialer).await {
            Some(offered) => offered,
            None => {
                let version = docker.version().await;
                let version = version.map_err(|error| self.error(error))?;
                version.api_version.unwrap_or_default()
            }
        };
        let Some(api_version) = agree(&offered) else {
            return Err(EngineError::Other(format!(
                "the Docker Engine at {} speaks API {offered:?}; careen needs {}.{} (Docker 20.10) or newer",
                self.address(),
                OLDEST_API.0,
                OLDEST_API.1
            )));
        };
        let prefix = format!("/v{api_version}");
        Ok(Client {
            docker: docker.with_request_modifier(move |request| prepare(request, &prefix, "")),
            api_version,
        })
    }
}

fn client_of(dialer: &Arc<Dialer>) -> Result<Docker, bollard::errors::Error> {
    let version = API_DEFAULT_VERSION;
    match dialer.address() {
        Address::Unix(path) => Docker::connect_with_unix(path, SHORT_SECONDS, version),
        Address::Http(host) => Docker::connect_with_http(host, SHORT_SECONDS, version),
        Address::Ssh(_) | Address::Tls { .. } => dial::client(dialer.clone(), SHORT_SECONDS),
    }
}

/// The newer of what both sides speak; `None` when the engine is too old.
fn agree(offered: &str) -> Option<String> {
    let (major, minor) = offered.split_once('.')?;
    let offered = (major.parse::<usize>().ok()?, minor.parse::<usize>().ok()?);
    let ours = (
        API_DEFAULT_VERSION.major_version,
        API_DEFAULT_VERSION.minor_version,
    );
    let agreed = offered.min(ours);
    (agreed >= OLDEST_API).then(|| format!("{}.{}", agreed.0, agreed.1))
}

/// Asks for the agreed version of the API, and writes credentials in the alphabet that engines read: bollard does
/// neither (it leaves the version out of the path and encodes with `+` and `/`, which an engine takes for nothing).
fn prepare(mut request: BollardRequest, prefix: &str, query: &str) -> BollardRequest {
    let path = request.uri().path_and_query().map(|path| path.to_string());
    if let Some(path) = path {
        let before = request.uri().to_string();
        let host = before.strip_suffix(&path).unwrap_or_default();
        if let Ok(versioned) = format!("{host}{prefix}{path}{query}").parse() {
            *request.uri_mut() = versioned;
        }
    }
    for name in ["x-registry-auth", "x-registry-config"] {
        let value = request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        let url_safe = value.map(|value| value.replace('+', "-").replace('/', "_"));
        if let Some(Ok(value)) = url_safe.map(|value| value.parse()) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_both_speak_is_agreed_on() {
        for (offered, agreed) in [
            ("1.41", Some("1.41")),
            ("1.47", Some("1.47")),
            ("1.99", Some("1.53")),
            ("1.40", None),
            ("", None),
        ] {
            assert_eq!(agree(offered).as_deref(), agreed, "{offered}");
        }
    }

    #[test]
    fn a_request_names_the_version_and_sends_credentials_that_engines_read() {
        let mut request = BollardRequest::new(bollard::body_full("".into()));
        *request.uri_mut() = "unix://2f61/images/create?tag=a/b"
            .parse()
            .expect("an address");
        let header = "+/+/".parse().expect("a header");
        request.headers_mut().insert("x-registry-auth", header);
        let request = prepare(request, "/v1.41", "&t=c");
        assert_eq!(request.uri(), "unix://2f61/v1.41/images/create?tag=a/b&t=c");
        assert_eq!(request.headers()["x-registry-auth"], "-_-_");
    }

    #[tokio::test]
    async fn a_missing_socket_is_named_when_the_engine_is_first_asked() {
        let engine =
            DockerEngine::connect(Some("unix:///nowhere/docker.sock")).expect("an address");
        let error = engine.docker().await.expect_err("nobody is there");
        assert!(
            matches!(&error, EngineError::Unreachable { address, .. }
            if address == "unix:///nowhere/docker.sock"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_unreachable() {
        let engine = DockerEngine::connect(Some("tcp://127.0.0.1:1")).expect("an address");
        let error = engine.docker().await.expect_err("nobody is there");
        assert!(matches!(error, EngineError::Unreachable { .. }), "{error}");
    }
}
