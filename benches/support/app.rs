//! The application on an engine in memory, as the benches measure it.

use std::{path::Path, sync::Arc};

use careen::{
    adapters::{
        disk::LocalDisk,
        folder::{Bounds, Cache, Caps, Elsewhere, LocalFolders},
        locks::LockFolder,
        memory::{
            containers::MemoryEngine,
            credentials::MemoryCredentials,
            store::{MemoryAccess, MemoryTasks},
        },
        objects::ObjectFolder,
        registry::{HttpRegistry, Terms},
        vault::FileVault,
        web::Web,
    },
    app::{App, Credentials, KnownFleet, Room},
    ports::{
        Bases, Clock, Deliveries, Duties, FleetStore, FrameStore, Queue, RunStore, Timers, Upkeep,
        Workers,
    },
    runner::Ports,
};

/// All that one store keeps.
pub trait Stores:
    RunStore + Queue + Workers + Duties + Timers + Bases + FleetStore + Deliveries + Upkeep
{
}

impl<T> Stores for T where
    T: RunStore + Queue + Workers + Duties + Timers + Bases + FleetStore + Deliveries + Upkeep
{
}

/// What differs from bench to bench.
pub struct Outside {
    pub engine: MemoryEngine,
    pub registry: Terms,
    pub frames: Arc<dyn FrameStore>,
    pub clock: Arc<dyn Clock>,
}

/// Wires an application whose files lie in `folder`.
pub fn app(folder: &Path, store: Arc<impl Stores + 'static>, outside: Outside) -> App {
    let engine = Arc::new(outside.engine);
    let registry = Arc::new(HttpRegistry::new(outside.registry));
    App {
        ports: Ports {
            containers: engine.clone(),
            images: engine,
            store: store.clone(),
            frames: outside.frames,
            contexts: Arc::new(Elsewhere::new(
                Cache::new(folder.join("contexts"), 1 << 30),
                Arc::new(Web),
                registry.clone(),
                Bounds::default(),
            )),
            folders: Arc::new(LocalFolders::new(Arc::new(drop), Caps::default())),
            registry,
            clock: outside.clock,
        },
        upkeep: store.clone(),
        room: Arc::new(Room::new(Arc::new(LocalDisk), folder.to_owned(), 0)),
        queue: store.clone(),
        deliveries: store.clone(),
        timers: store.clone(),
        workers: store.clone(),
        duties: store.clone(),
        bases: store.clone(),
        fleet: Arc::new(KnownFleet::new(store)),
        tasks: Arc::new(MemoryTasks::default()),
        access: Arc::new(MemoryAccess::default()),
        courier: Arc::new(Web),
        objects: Arc::new(ObjectFolder::at(
            folder.join("objects").to_string_lossy(),
            [],
        )),
        contexts: folder.join("uploads"),
        uploads: Default::default(),
        vault: Arc::new(FileVault::open(&folder.join("key"))),
        liveness: Arc::new(LockFolder::new(folder.join("locks"))),
        fetch: Arc::new(Web),
        credentials: Credentials::new(
            Arc::new(MemoryCredentials::new()),
            Arc::new(MemoryCredentials::new()),
        ),
        files: folder.join("files"),
    }
}
