//! The container that is never started: through it files go into a run's volumes and come out again.

use std::collections::BTreeSet;

use tokio::sync::OnceCell;

use super::{
    Job, Ports,
    setup::{HOME, Shared},
};
use crate::ports::{
    ContainerSpec, EngineError, Limits, Mount, MountSource, NetworkMode, TarStream,
};

/// The image of nothing that the carrier is made from; made locally, never pulled.
const EMPTY_IMAGE: &str = "careen/empty:1";
/// Where the workspace is mounted, in the carrier as in the steps.
pub(super) const WORKSPACE_PATH: &str = "/workspace";
/// Where the home is mounted, in the carrier as in the steps.
pub(super) const HOME_PATH: &str = "/acb/home";
/// Where the carrier mounts the secret volumes, by name.
const VOLUMES_PATH: &str = "/volumes";

/// Makes its container when it is first needed.
#[derive(Default)]
pub(super) struct Carrier {
    id: OnceCell<String>,
}

impl Carrier {
    /// Fills workspace, home and secret volumes with what the job has for them.
    pub async fn fill(&self, ports: &Ports, job: &Job, shared: &Shared) -> Result<(), EngineError> {
        if shared.volumes.is_empty() {
            return Ok(());
        }
        if let Some(context) = &job.context {
            let tar = ports
                .folders
                .workspace(context)
                .map_err(|error| EngineError::Other(error.to_string()))?;
            self.upload(ports, job, shared, WORKSPACE_PATH, tar).await?;
        }
        if let Some(config) = docker_config(job) {
            let files = vec![(".docker/config.json".to_owned(), 0o600, config)];
            let tar = ports.folders.files(files);
            self.upload(ports, job, shared, HOME_PATH, tar).await?;
        }
        for volume in job.plan.volumes() {
            let files = volume
                .files
                .iter()
                .map(|(name, data)| (name.clone(), 0o644, data.clone()))
                .collect();
            let tar = ports.folders.files(files);
            let path = format!("{VOLUMES_PATH}/{}", volume.name);
            self.upload(ports, job, shared, &path, tar).await?;
        }
        Ok(())
    }

    async fn upload(
        &self,
        ports: &Ports,
        job: &Job,
        shared: &Shared,
        path: &str,
        tar: TarStream,
    ) -> Result<(), EngineError> {
        let id = self.id(ports, job, shared).await?;
        ports.containers.upload(&id, path, tar).await
    }

    /// Packs a path of the workspace.
    pub async fn download(
        &self,
        ports: &Ports,
        job: &Job,
        shared: &Shared,
        path: &str,
    ) -> Result<TarStream, EngineError> {
        let id = self.id(ports, job, shared).await?;
        ports.containers.download(&id, path).await
    }

    async fn id(&self, ports: &Ports, job: &Job, shared: &Shared) -> Result<String, EngineError> {
        self.id
            .get_or_try_init(|| async {
                ports.images.ensure_empty_image(EMPTY_IMAGE).await?;
                let spec = spec(job, shared, ports.store.store_id());
                match ports.containers.create(&spec).await {
                    Err(EngineError::NameConflict(_)) => {
                        ports.containers.remove(&spec.name).await?;
                        ports.containers.create(&spec).await
                    }
                    made => made,
                }
            })
            .await
            .cloned()
    }
}

fn spec(job: &Job, shared: &Shared, store: &str) -> ContainerSpec {
    let mounts = shared
        .volumes
        .iter()
        .map(|(name, full)| Mount {
            source: MountSource::Volume(full.clone()),
            target: match name.as_str() {
                shared if shared == job.shared_volume => WORKSPACE_PATH.to_owned(),
                HOME => HOME_PATH.to_owned(),
                other => format!("{VOLUMES_PATH}/{other}"),
            },
            read_only: false,
            no_copy: true,
        })
        .collect();
    ContainerSpec {
        name: job.own_name(store, "files"),
        image: EMPTY_IMAGE.to_owned(),
        labels: job.labels(store),
        // Never started; the engine wants a command all the same.
        command: vec!["none".to_owned()],
        mounts,
        network: NetworkMode::None,
        limits: Limits::default(),
        ..ContainerSpec::default()
    }
}

/// The volumes that get files of ours before a container starts: what an image has there never mixes with them.
pub(super) fn filled(job: &Job) -> BTreeSet<String> {
    let with_files = job.plan.volumes().iter().filter(|it| !it.files.is_empty());
    let mut names: BTreeSet<String> = with_files.map(|volume| volume.name.clone()).collect();
    names.extend(job.context.is_some().then(|| job.shared_volume.clone()));
    names.extend(uses_docker(job).then(|| HOME.to_owned()));
    names
}

fn uses_docker(job: &Job) -> bool {
    !job.visible_logins().is_empty() || job.has_docker_socket()
}

/// The docker client's settings, for steps that use one: logins, and the header that ACR sets.
fn docker_config(job: &Job) -> Option<Vec<u8>> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use secrecy::ExposeSecret;
    if !uses_docker(job) {
        return None;
    }
    let logins = job.visible_logins();
    let auths: serde_json::Map<_, _> = logins
        .iter()
        .map(|login| {
            let pair = format!("{}:{}", login.username, login.password.expose_secret());
            let auth = serde_json::json!({ "auth": BASE64_STANDARD.encode(pair) });
            (login.server.clone(), auth)
        })
        .collect();
    let config = serde_json::json!({
        "auths": auths,
        "experimental": "enabled",
        "HttpHeaders": { "X-Meta-Source-Client": "careen" },
    });
    Some(config.to_string().into_bytes())
}
