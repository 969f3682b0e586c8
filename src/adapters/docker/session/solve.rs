//! Asks BuildKit for an image and listens while it is made.

use std::{collections::HashMap, pin::pin, time::Duration};

use bollard_buildkit_proto::moby::buildkit::v1::{
    CacheOptions, SolveRequest, SolveResponse, StatusRequest, StatusResponse,
    control_client::ControlClient,
};
use oci_spec::image::Descriptor;
use tonic::{
    Status,
    transport::{Channel, Endpoint, Uri},
};
use uuid::Uuid;

use super::{
    SessionError,
    serve::Session,
    stream::{EngineStream, upgrade},
};
use crate::{
    adapters::docker::{DockerEngine, caches::Caches},
    ports::{BuildRequest, EngineError},
};

/// How long the last words on a build that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How BuildKit names the image that it made.
#[derive(Debug, Default)]
pub(in crate::adapters::docker) struct Solved {
    /// Digests that may be the image's id, the likeliest first.
    pub(in crate::adapters::docker) ids: Vec<String>,
    /// What it left as a cache, where it was asked to.
    pub(in crate::adapters::docker) cache: Option<Descriptor>,
}

/// Builds, and hands each message on the build's way to `take`. Dropping the future ends the build.
pub(in crate::adapters::docker) async fn solve(
    engine: &DockerEngine,
    session: &Session,
    (request, caches): (&BuildRequest, &Caches),
    mut take: impl FnMut(StatusResponse),
) -> Result<Solved, SessionError> {
    let channel = channel(engine).await?;
    let (mut builder, mut listener) = (
        ControlClient::new(channel.clone()),
        // One message may bear many lines.
        ControlClient::new(channel).max_decoding_message_size(usize::MAX),
    );
    let id = Uuid::new_v4().simple().to_string();
    let solve = solve_request(id.clone(), session, (request, caches));
    let mut solving = pin!(builder.solve(solve));
    let mut hearing = pin!(async {
        let status = StatusRequest { r#ref: id };
        let mut messages = listener.status(status).await?.into_inner();
        while let Some(message) = messages.message().await? {
            take(message);
        }
        Ok::<(), Status>(())
    });
    let solved = tokio::select! {
        solved = &mut solving => {
            let _ = tokio::time::timeout(LAST_WORDS, hearing).await;
            solved
        }
        _ = &mut hearing => solving.await,
    };
    finished(session, solved)
}

async fn channel(engine: &DockerEngine) -> Result<Channel, SessionError> {
    let stream = upgrade(engine, "/grpc", &[]).await?;
    // There is one connection: when it breaks, the build is over.
    let mut stream = Some(stream);
    let connector = tower::service_fn(move |_: Uri| {
        let stream = stream.take().map(EngineStream::into_inner);
        async move { stream.ok_or_else(|| std::io::Error::other("the connection of the build broke")) }
    });
    let endpoint = Endpoint::from_static("http://engine");
    let channel = endpoint.connect_with_connector(connector);
    let broken = |error: tonic::transport::Error| EngineError::Broken(error.to_string());
    channel
        .await
        .map_err(|error| SessionError::Engine(broken(error)))
}

fn finished(
    session: &Session,
    solved: Result<tonic::Response<SolveResponse>, Status>,
) -> Result<Solved, SessionError> {
    let solved = solved.map_err(|status| failure(session, &status))?;
    let said = solved.into_inner().exporter_response;
    let names = ["containerimage.config.digest", "containerimage.digest"];
    let ids = names.iter().filter_map(|name| said.get(*name).cloned());
    let cache = said.get("cache.manifest");
    Ok(Solved {
        ids: ids.collect(),
        cache: cache.and_then(|text| serde_json::from_str(text).ok()),
    })
}

/// Tells an engine that went away from a build that went wrong.
fn failure(session: &Session, status: &Status) -> SessionError {
    if let Some(trouble) = session.trouble() {
        return SessionError::Engine(trouble);
    }
    if std::error::Error::source(status).is_some() {
        return SessionError::Engine(EngineError::Broken(status.message().to_owned()));
    }
    if status.code() == tonic::Code::Unimplemented {
        return SessionError::Missing(status.message().to_owned());
    }
    SessionError::Refused(status.message().to_owned())
}

fn solve_request(
    id: String,
    session: &Session,
    (request, caches): (&BuildRequest, &Caches),
) -> SolveRequest {
    let mut frontend_attrs = frontend(request, &session.dockerfile);
    let imports = caches.imports();
    frontend_attrs.extend(imports.map(|imports| ("cache-imports".to_owned(), imports)));
    SolveRequest {
        r#ref: id,
        session: session.id.clone(),
        frontend: "dockerfile.v0".to_owned(),
        frontend_attrs,
        exporter_deprecated: "moby".to_owned(),
        exporter_attrs_deprecated: names(request),
        cache: Some(CacheOptions {
            exports: caches.exports(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The names of the image, if it gets any.
fn names(request: &BuildRequest) -> HashMap<String, String> {
    let names = Some(request.tags.join(",")).filter(|names| !names.is_empty());
    names
        .map(|names| ("name".to_owned(), names))
        .into_iter()
        .collect()
}

/// The options of the Dockerfile's reader.
fn frontend(request: &BuildRequest, dockerfile: &str) -> HashMap<String, String> {
    let mut options = HashMap::from([("filename".to_owned(), dockerfile.to_owned())]);
    let mut set = |name: &str, value: Option<String>| {
        options.extend(value.map(|value| (name.to_owned(), value)));
    };
    let joined = |list: &[String]| Some(list.join(",")).filter(|list| !list.is_empty());
    let hosts: Vec<String> = request
        .extra_hosts
        .iter()
        .map(|host| host.replacen(':', "=", 1))
        .collect();
    set("target", request.target.clone());
    set("platform", request.platform.clone());
    set("no-cache", request.no_cache.then(String::new));
    set(
        "image-resolve-mode",
        request.pull.then(|| "pull".to_owned()),
    );
    set("add-hosts", joined(&hosts));
    set(
        "shm-size",
        request.shm_size_bytes.map(|bytes| bytes.to_string()),
    );
    let network = request.network.clone();
    set(
        "force-network-mode",
        network.filter(|mode| matches!(mode.as_str(), "host" | "none")),
    );
    for (name, value) in &request.build_args {
        set(&format!("build-arg:{name}"), Some(value.clone()));
    }
    for (name, value) in &request.labels {
        set(&format!("label:{name}"), Some(value.clone()));
    }
    options
}
