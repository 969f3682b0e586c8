//! Wires the adapters to the command line; the only place that knows them all.

use std::{process::ExitCode, sync::Arc};

use tokio::sync::Mutex;

use careen::{
    adapters::{
        clock::SystemClock,
        disk::LocalDisk,
        docker::DockerEngine,
        docker_config::{self, DockerConfig},
        files::FileFrames,
        folder::{Bounds, Cache, Caps, Elsewhere, Hidden, LocalFolders},
        locks::LockFolder,
        memory::{
            credentials::MemoryCredentials,
            store::{MemoryAccess, MemoryFrames, MemoryStore, MemoryTasks},
        },
        objects::ObjectFolder,
        postgres::{PostgresFrames, PostgresStore},
        registry::{HttpRegistry, Terms},
        sqlite::SqliteStore,
        telemetry,
        vault::FileVault,
        web::Web,
    },
    app::{App, AppError, Credentials, KnownFleet, Room},
    cli::{self, Adapters, Settings},
    ports::{
        AccessStore, Bases, ConnectionStore, Deliveries, Duties, EngineError, FleetStore,
        FrameStore, Queue, RunStore, SecretStore, TaskStore, Timers, Upkeep, Workers,
    },
    runner::Ports,
};

/// What a mistake of the user's exits with.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // One TLS provider for everything that speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _telemetry = match telemetry::begin(|name| std::env::var(name).ok()) {
        Ok(telemetry) => telemetry,
        Err(why) => {
            anstream::eprintln!("error: {why}");
            return ExitCode::from(USAGE);
        }
    };
    cli::main(Adapters {
        app: |settings| Box::pin(app(settings)),
        passing_app,
        services: |settings| Ok(Arc::new(engine(settings)?)),
        logins: docker_config::logins,
    })
}

/// Makes careen from its parts: the database, what stands beside it, an engine.
async fn app(settings: Settings) -> Result<App, AppError> {
    let data = settings.data_folder();
    let objects = Arc::new(ObjectFolder::at(settings.objects(), clouds()?));
    let Some(address) = settings.postgres() else {
        let store = Arc::new(SqliteStore::open(&settings.db.value).await?);
        let frames = Arc::new(FileFrames::open(&data.join("logs"), store.clone()));
        return wired(&settings, kept(store, frames), objects);
    };
    let store = PostgresStore::connect(&address).await?;
    let frames = PostgresFrames::new(store.clone(), objects.clone());
    wired(&settings, kept(Arc::new(store), Arc::new(frames)), objects)
}

/// What the tools of clouds go by.
fn clouds() -> Result<Vec<(String, String)>, AppError> {
    cli::cloud_variables()
        .map_err(|error| AppError::usage(error.to_string(), "Mend that variable, or unset it"))
}

/// All that one store holds, and the logs beside it.
fn kept<S>(store: Arc<S>, frames: Arc<dyn FrameStore>) -> Kept
where
    S: RunStore + Queue + Workers + Duties + Deliveries + TaskStore + AccessStore + 'static,
    S: ConnectionStore + SecretStore + Timers + Bases + FleetStore + Upkeep,
{
    Kept {
        store: store.clone(),
        upkeep: store.clone(),
        queue: store.clone(),
        workers: store.clone(),
        duties: store.clone(),
        deliveries: store.clone(),
        timers: store.clone(),
        bases: store.clone(),
        fleet: store.clone(),
        frames,
        tasks: store.clone(),
        access: store.clone(),
        credentials: Credentials::new(store, docker_logins()),
    }
}

/// Makes a careen that forgets everything when it ends, for commands that record nothing.
fn passing_app(settings: &Settings) -> Result<App, AppError> {
    let store = Arc::new(MemoryStore::new("passing"));
    let kept = Kept {
        store: store.clone(),
        upkeep: store.clone(),
        queue: store.clone(),
        workers: store.clone(),
        duties: store.clone(),
        timers: store.clone(),
        deliveries: store.clone(),
        bases: store.clone(),
        fleet: store,
        frames: Arc::new(MemoryFrames::new()),
        tasks: Arc::new(MemoryTasks::default()),
        access: Arc::new(MemoryAccess::default()),
        credentials: Credentials::new(Arc::new(MemoryCredentials::new()), docker_logins()),
    };
    let objects = Arc::new(ObjectFolder::at(settings.objects(), clouds()?));
    wired(settings, kept, objects)
}

/// The docker client's own logins.
fn docker_logins() -> Arc<DockerConfig> {
    Arc::new(DockerConfig::new(
        &cli::docker_config_file().unwrap_or_default(),
    ))
}

/// What is kept, and where.
struct Kept {
    store: Arc<dyn RunStore>,
    upkeep: Arc<dyn Upkeep>,
    queue: Arc<dyn Queue>,
    workers: Arc<dyn Workers>,
    duties: Arc<dyn Duties>,
    deliveries: Arc<dyn Deliveries>,
    timers: Arc<dyn Timers>,
    bases: Arc<dyn Bases>,
    fleet: Arc<dyn FleetStore>,
    frames: Arc<dyn FrameStore>,
    tasks: Arc<dyn TaskStore>,
    access: Arc<dyn AccessStore>,
    credentials: Credentials,
}

fn wired(settings: &Settings, kept: Kept, objects: Arc<ObjectFolder>) -> Result<App, AppError> {
    let data = settings.data_folder();
    let engine = Arc::new(engine(settings)?);
    let registry = Arc::new(HttpRegistry::new(Terms::default()));
    let notes = Arc::new(|text: String| tracing::info!("{text}"));
    let hidden = Hidden::new(settings.own_paths());
    Ok(App {
        ports: Ports {
            containers: engine.clone(),
            images: engine,
            frames: kept.frames,
            store: kept.store,
            contexts: Arc::new(
                Elsewhere::new(
                    Cache::new(data.join("contexts"), settings.bounds.cache_bytes.value),
                    Arc::new(Web),
                    registry.clone(),
                    Bounds::default(),
                )
                .without(hidden.clone()),
            ),
            folders: Arc::new(LocalFolders::new(notes, Caps::default()).without(hidden)),
            registry,
            clock: Arc::new(SystemClock),
        },
        queue: kept.queue,
        workers: kept.workers,
        duties: kept.duties,
        deliveries: kept.deliveries,
        timers: kept.timers,
        bases: kept.bases,
        fleet: Arc::new(KnownFleet::new(kept.fleet)),
        tasks: kept.tasks,
        access: kept.access,
        upkeep: kept.upkeep,
        room: Arc::new(Room::new(
            Arc::new(LocalDisk),
            data.clone(),
            settings.bounds.min_free_bytes.value,
        )),
        vault: Arc::new(FileVault::from_environment(
            &settings.key_file.value,
            |name| std::env::var(name).ok(),
        )),
        liveness: Arc::new(LockFolder::new(data.join("locks"))),
        fetch: Arc::new(Web),
        courier: Arc::new(Web),
        objects,
        contexts: data.join("uploaded"),
        uploads: Mutex::default(),
        credentials: kept.credentials,
        files: data.join("files"),
    })
}

/// Names the engine, and the one for builds that it cannot make.
fn engine(settings: &Settings) -> Result<DockerEngine, EngineError> {
    let engine = DockerEngine::connect(settings.docker_host.value.as_deref())?;
    Ok(match settings.builder.value.as_deref() {
        Some(builder) => engine.with_builder(DockerEngine::connect(Some(builder))?),
        None => engine,
    })
}
