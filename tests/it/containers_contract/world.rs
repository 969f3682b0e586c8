//! An engine under test, and the verbs to speak of it.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use careen::{
    adapters::memory::containers::MemoryEngine,
    ports::{
        ContainerSpec, Containers, EngineError, Exit, Images, Labels, Limits, Mount, MountSource,
        NetworkMode, NetworkSpec, Output, Progress, Resource, Since, Sink, Stream, VolumeSpec,
    },
};
use futures_util::{FutureExt, TryStreamExt};

use crate::engines::{CLASSIC, CONTAINERD, Engine};

/// An engine and the label of everything that one test makes on it.
pub struct World {
    pub containers: Arc<dyn Containers>,
    pub images: Arc<dyn Images>,
    /// The engine in memory, when it is that.
    pub memory: Option<MemoryEngine>,
    /// The Docker Engine, when it is one.
    docker: Option<Engine>,
    /// An image with a shell.
    pub image: String,
    id: String,
}

/// Tests a claim on the engine in memory.
pub async fn in_memory<F: Future<Output = ()>>(claim: impl FnOnce(Arc<World>) -> F) {
    let engine = MemoryEngine::new();
    engine.add_image(&test_image());
    let world = World::new(engine.clone(), Some(engine), None);
    run(world, claim).await;
}

/// Tests a claim on the Docker Engine of this machine, if there is one.
pub async fn on_docker<F: Future<Output = ()>>(claim: impl FnOnce(Arc<World>) -> F) {
    on(Engine::local().await, claim).await;
}

/// Tests a claim on a newer engine, if it is up.
pub async fn on_newer_engine<F: Future<Output = ()>>(claim: impl FnOnce(Arc<World>) -> F) {
    on(Engine::newer(CLASSIC).await, claim).await;
}

/// Tests a claim on a newer engine whose images are in containerd's store, if it is up.
pub async fn on_containerd_store<F: Future<Output = ()>>(claim: impl FnOnce(Arc<World>) -> F) {
    on(Engine::newer(CONTAINERD).await, claim).await;
}

async fn on<F: Future<Output = ()>>(engine: Option<Engine>, claim: impl FnOnce(Arc<World>) -> F) {
    if let Some(engine) = engine {
        run(World::new(engine.connect(), None, Some(engine)), claim).await;
    }
}

async fn run<F: Future<Output = ()>>(world: World, claim: impl FnOnce(Arc<World>) -> F) {
    let world = Arc::new(world);
    let outcome = AssertUnwindSafe(claim(world.clone())).catch_unwind().await;
    world.clean().await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

pub fn test_image() -> String {
    std::env::var("CAREEN_TEST_IMAGE").unwrap_or_else(|_| "busybox:latest".to_string())
}

impl World {
    fn new<E: Containers + Images + Clone + 'static>(
        engine: E,
        memory: Option<MemoryEngine>,
        docker: Option<Engine>,
    ) -> World {
        World {
            containers: Arc::new(engine.clone()),
            images: Arc::new(engine),
            memory,
            docker,
            image: test_image(),
            id: uuid::Uuid::new_v4().simple().to_string(),
        }
    }

    /// A name that only this test uses.
    pub fn name(&self, what: &str) -> String {
        format!("careen-test-{}-{what}", &self.id[..12])
    }

    /// The labels of what this test makes.
    pub fn labels(&self) -> Labels {
        Labels::from([("careen.test".to_string(), self.id.clone())])
    }

    /// A container that runs shell words; the engine in memory goes by `FAKE_…` variables instead.
    pub fn shell(&self, name: &str, script: &str, fake: &[&str]) -> ContainerSpec {
        ContainerSpec {
            name: self.name(name),
            image: self.image.clone(),
            labels: self.labels(),
            command: ["sh", "-c", script].map(str::to_string).to_vec(),
            entry_point: None,
            env: fake
                .iter()
                .map(|variable| format!("FAKE_{variable}"))
                .collect(),
            working_directory: None,
            user: None,
            hostname: None,
            mounts: Vec::new(),
            network: NetworkMode::None,
            exposed_ports: Vec::new(),
            published_ports: Vec::new(),
            extra_hosts: Vec::new(),
            limits: Limits::default(),
            privileged: false,
            cap_drop: Vec::new(),
            read_only: false,
            init: false,
            tty: false,
            open_stdin: false,
            stop_signal: None,
            platform: None,
        }
    }

    /// Makes and starts a container.
    pub async fn start(&self, spec: &ContainerSpec) -> String {
        let id = self.containers.create(spec).await.expect("create");
        self.containers.start(&id).await.expect("start");
        id
    }

    /// Makes, starts and awaits a container.
    pub async fn run(&self, spec: &ContainerSpec) -> (String, Exit) {
        let id = self.start(spec).await;
        let exit = self.containers.wait(&id).await.expect("wait");
        (id, exit)
    }

    /// Everything a container wrote.
    pub async fn output(&self, id: &str) -> Vec<Output> {
        let output = self.containers.output(id, Since::default());
        let all = output.try_collect();
        tokio::time::timeout(Duration::from_secs(60), all)
            .await
            .expect("the output ends")
            .expect("output")
    }

    pub async fn network(&self, name: &str) -> String {
        let spec = NetworkSpec {
            name: self.name(name),
            labels: self.labels(),
            driver: None,
            ipv6: false,
        };
        self.containers
            .create_network(&spec)
            .await
            .expect("network");
        spec.name
    }

    pub async fn volume(&self, name: &str) -> String {
        let spec = VolumeSpec {
            name: self.name(name),
            labels: self.labels(),
        };
        self.containers.create_volume(&spec).await.expect("volume");
        spec.name
    }

    /// Takes an image off the engine, if it is there.
    pub async fn forget_image(&self, reference: &str) {
        if let Some(engine) = &self.docker {
            let docker = engine.client();
            let options = None::<bollard::query_parameters::RemoveImageOptions>;
            let _ = docker.remove_image(reference, options, None).await;
        }
    }

    async fn forget_images(&self, engine: &Engine) {
        let docker = engine.client();
        let options = None::<bollard::query_parameters::ListImagesOptions>;
        for image in docker.list_images(options).await.unwrap_or_default() {
            let is_labelled = image.labels.get("careen.test") == Some(&self.id);
            let is_named = |tag: &&String| tag.contains(&self.name(""));
            for tag in image.repo_tags.iter().filter(is_named) {
                self.forget_image(tag).await;
            }
            if is_labelled {
                self.forget_image(&image.id).await;
            }
        }
    }

    async fn clean(&self) {
        let (labels, containers) = (self.labels(), &self.containers);
        for found in containers
            .list(Resource::Container, &labels)
            .await
            .unwrap_or_default()
        {
            let _ = containers.remove(&found.id).await;
        }
        for found in containers
            .list(Resource::Network, &labels)
            .await
            .unwrap_or_default()
        {
            let _ = containers.remove_network(&found.name).await;
        }
        for found in containers
            .list(Resource::Volume, &labels)
            .await
            .unwrap_or_default()
        {
            let _ = containers.remove_volume(&found.name).await;
        }
        if let Some(engine) = &self.docker {
            self.forget_images(engine).await;
        }
    }
}

/// A mount of a volume.
pub fn volume_mount(name: &str, target: &str) -> Mount {
    Mount {
        source: MountSource::Volume(name.to_string()),
        target: target.to_string(),
        read_only: false,
        no_copy: false,
    }
}

/// The text of one stream.
pub fn text(output: &[Output], stream: Stream) -> String {
    let of_stream = output.iter().filter(|piece| piece.stream == stream);
    let bytes: Vec<u8> = of_stream.flat_map(|piece| piece.bytes.to_vec()).collect();
    String::from_utf8(bytes).expect("UTF-8")
}

/// Keeps what a long call says.
#[derive(Default)]
pub struct Said {
    pub output: Mutex<Vec<Output>>,
    pub progress: Mutex<Vec<Progress>>,
}

impl Said {
    pub fn text(&self) -> String {
        let output = self.output.lock().expect("not poisoned");
        let bytes: Vec<u8> = output
            .iter()
            .flat_map(|piece| piece.bytes.to_vec())
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Sink for Said {
    fn output(&self, output: Output) {
        self.output.lock().expect("not poisoned").push(output);
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().expect("not poisoned").push(progress);
    }
}

/// A tar archive of files, as one piece.
pub fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, content.as_bytes())
            .expect("append");
    }
    builder.into_inner().expect("a whole archive")
}

/// The files of a tar archive.
pub fn files_of(archive: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(archive);
    let mut files = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        let mut content = String::new();
        if std::io::Read::read_to_string(&mut entry, &mut content).is_ok() && !path.ends_with('/') {
            files.push((path, content));
        }
    }
    files
}

/// The error of a call that must fail.
pub fn refused<T: std::fmt::Debug>(result: Result<T, EngineError>) -> EngineError {
    result.expect_err("it must be refused")
}
