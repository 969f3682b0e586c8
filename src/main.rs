//! Wires the adapters to the command line; the only place that knows them all.

use std::{process::ExitCode, sync::Arc};

use careen::{
    adapters::{
        clock::SystemClock,
        docker::DockerEngine,
        docker_config,
        files::FileFrames,
        folder::{Caps, LocalFolders},
        locks::LockFolder,
        memory::store::{MemoryFrames, MemoryStore},
        postgres::{PostgresFrames, PostgresStore},
        registry::{HttpRegistry, Terms},
        sqlite::SqliteStore,
        vault::FileVault,
        web::Web,
    },
    app::{App, AppError},
    cli::{self, Adapters, Settings},
    ports::{EngineError, FrameStore, Queue, RunStore},
    runner::Ports,
};

fn main() -> ExitCode {
    // One TLS provider for everything that speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("CAREEN_LOG"))
        .with_writer(std::io::stderr)
        .init();
    cli::main(Adapters {
        app: |settings| Box::pin(app(settings)),
        passing_app,
        logins: docker_config::logins,
    })
}

/// What keeps runs.
struct Stores {
    runs: Arc<dyn RunStore>,
    queue: Arc<dyn Queue>,
    frames: Arc<dyn FrameStore>,
}

/// Opens the database: SQLite with files beside it, or Postgres with an object store.
async fn stores(settings: &Settings) -> Result<Stores, AppError> {
    if let Some(address) = settings.postgres() {
        let store = PostgresStore::connect(&address).await?;
        let frames = PostgresFrames::open(store.clone(), &settings.objects(), std::env::vars())?;
        let store = Arc::new(store);
        return Ok(Stores {
            runs: store.clone(),
            queue: store,
            frames: Arc::new(frames),
        });
    }
    let store = Arc::new(SqliteStore::open(&settings.db.value).await?);
    let logs = settings.data_folder().join("logs");
    Ok(Stores {
        frames: Arc::new(FileFrames::open(&logs, store.clone())),
        runs: store.clone(),
        queue: store,
    })
}

/// Makes careen from its parts: the database, files beside it, an engine.
async fn app(settings: Settings) -> Result<App, AppError> {
    let stores = stores(&settings).await?;
    wired(&settings, stores)
}

/// Makes a careen that forgets everything when it ends, for commands that record nothing.
fn passing_app(settings: &Settings) -> Result<App, AppError> {
    let store = Arc::new(MemoryStore::new("passing"));
    let stores = Stores {
        runs: store.clone(),
        queue: store,
        frames: Arc::new(MemoryFrames::new()),
    };
    wired(settings, stores)
}

fn wired(settings: &Settings, stores: Stores) -> Result<App, AppError> {
    let data = settings.data_folder();
    let engine = Arc::new(engine(settings)?);
    let notes = Arc::new(|text: String| tracing::info!("{text}"));
    Ok(App {
        ports: Ports {
            containers: engine.clone(),
            images: engine,
            frames: stores.frames,
            store: stores.runs,
            folders: Arc::new(LocalFolders::new(notes, Caps::default())),
            registry: Arc::new(HttpRegistry::new(Terms::default())),
            clock: Arc::new(SystemClock),
        },
        queue: stores.queue,
        vault: Arc::new(FileVault::from_environment(
            &settings.key_file.value,
            |name| std::env::var(name).ok(),
        )),
        liveness: Arc::new(LockFolder::new(data.join("locks"))),
        fetch: Arc::new(Web),
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
