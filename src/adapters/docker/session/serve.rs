//! Opens a session with the engine and serves it.

use std::sync::Arc;

use bollard_buildkit_proto::{
    health::health_server::HealthServer,
    moby::{
        buildkit::secrets::v1::secrets_server::SecretsServer,
        filesync::{packet::file_sync_server::FileSyncServer, v1::auth_server::AuthServer},
    },
};
use futures_util::stream;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Server;
use uuid::Uuid;

use super::{
    SessionError,
    auth::Logins,
    content::{self, CacheFolders},
    files::{SyncedFiles, Trouble},
    health::Alive,
    secrets::BuildSecrets,
    stream::upgrade,
};
use crate::{
    adapters::docker::{DockerEngine, caches::Caches},
    ports::{BuildRequest, ContextFiles, EngineError, FolderError},
};

/// What we answer, as the engine must be told beforehand.
const METHODS: [&str; 7] = [
    "/grpc.health.v1.Health/Check",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.Auth/FetchToken",
    "/moby.filesync.v1.Auth/GetTokenAuthority",
    "/moby.filesync.v1.Auth/VerifyTokenAuthority",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
];

/// An open session; it ends when it is dropped.
pub(in crate::adapters::docker) struct Session {
    /// The id by which a build names it.
    pub(super) id: String,
    /// The Dockerfile's name in it.
    pub(super) dockerfile: String,
    trouble: Trouble,
    _server: AbortOnDropHandle<()>,
}

impl Session {
    /// Tells why the context could not be read, if so.
    pub(super) fn trouble(&self) -> Option<EngineError> {
        let trouble = self.trouble.get();
        trouble.map(|FolderError(message)| EngineError::Other(message.clone()))
    }
}

/// Opens a session that answers for the files, the Dockerfile (its name and text), the secrets, the logins and the caches of a
/// build.
pub(in crate::adapters::docker) async fn open(
    engine: &DockerEngine,
    (request, caches): (&BuildRequest, &Caches),
    (files, dockerfile): (Arc<dyn ContextFiles>, (String, Vec<u8>)),
) -> Result<Session, SessionError> {
    let (id, name) = (Uuid::new_v4().simple().to_string(), dockerfile.0.clone());
    let stream = upgrade(engine, "/session", &headers(&id, files.key())).await?;
    let synced = SyncedFiles::new(files, dockerfile);
    let trouble = synced.trouble();
    let server = Server::builder()
        .add_service(HealthServer::new(Alive))
        .add_service(FileSyncServer::new(synced))
        .add_service(AuthServer::new(Logins::new(request.logins.clone())))
        .add_service(SecretsServer::new(BuildSecrets::new(
            request.secrets.clone(),
        )))
        .add_service(CacheFolders::new(caches.folders()));
    let incoming = stream::iter([Ok::<_, std::io::Error>(stream)]);
    let serving = async move {
        // The engine hangs up at the end of the build, cleanly or not: the build itself tells how it went.
        let _ = server.serve_with_incoming(incoming).await;
    };
    Ok(Session {
        id,
        dockerfile: name,
        trouble,
        _server: AbortOnDropHandle::new(tokio::spawn(serving)),
    })
}

/// The key is how the engine finds, at the next build, the files that it was sent before.
fn headers(id: &str, key: String) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("x-docker-expose-session-uuid", id.to_owned()),
        ("x-docker-expose-session-name", "careen".to_owned()),
        ("x-docker-expose-session-sharedkey", key),
    ];
    let method = |method: &str| ("x-docker-expose-session-grpc-method", method.to_owned());
    headers.extend(METHODS.map(method));
    headers.extend(content::METHODS.map(method));
    headers
}
