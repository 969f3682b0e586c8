//! Wires the adapters to the command line; the only place that knows them all.

use std::{process::ExitCode, sync::Arc};

use careen::{
    adapters::{
        clock::SystemClock,
        docker::DockerEngine,
        docker_config,
        files::FileFrames,
        folder::{Bounds, Cache, Caps, Elsewhere, LocalFolders},
        locks::LockFolder,
        registry::{HttpRegistry, Terms},
        sqlite::SqliteStore,
        vault::FileVault,
        web::Web,
    },
    app::{App, AppError},
    cli::{self, Adapters, Settings},
    runner::Ports,
};

/// About how much the files of contexts may take on the disk, those in use aside.
const CACHE_BYTES: u64 = 5 << 30;

fn main() -> ExitCode {
    // One TLS provider for everything that speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("CAREEN_LOG"))
        .with_writer(std::io::stderr)
        .init();
    cli::main(Adapters {
        app: |settings| Box::pin(app(settings)),
        logins: docker_config::logins,
    })
}

/// Makes careen from its embedded parts: SQLite, files beside it, the local engine.
async fn app(settings: Settings) -> Result<App, AppError> {
    let data = settings.data_folder();
    let store = Arc::new(SqliteStore::open(&settings.db.value).await?);
    let engine = Arc::new(DockerEngine::connect(
        settings.docker_host.value.as_deref(),
    )?);
    let registry = Arc::new(HttpRegistry::new(Terms::default()));
    let notes = Arc::new(|text: String| tracing::info!("{text}"));
    Ok(App {
        ports: Ports {
            containers: engine.clone(),
            images: engine,
            frames: Arc::new(FileFrames::open(&data.join("logs"), store.clone())),
            store,
            contexts: Arc::new(Elsewhere::new(
                Cache::new(data.join("contexts"), CACHE_BYTES),
                Arc::new(Web),
                registry.clone(),
                Bounds::default(),
            )),
            folders: Arc::new(LocalFolders::new(notes, Caps::default())),
            registry,
            clock: Arc::new(SystemClock),
        },
        vault: Arc::new(FileVault::from_environment(
            &settings.key_file.value,
            |name| std::env::var(name).ok(),
        )),
        liveness: Arc::new(LockFolder::new(data.join("locks"))),
        fetch: Arc::new(Web),
        files: data.join("files"),
    })
}
