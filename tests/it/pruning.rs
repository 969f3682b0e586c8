//! What is beyond the bounds goes, and says why; what is needed stays; a full disk lets nothing new begin.

use std::{path::Path, sync::Arc, time::Duration};

use careen::{
    app::{AppError, ContextDigest, Keep, Room, Secrets, Worker, WorkerTerms},
    engine::RunStatus,
    ports::{Disk, Placement, RunFilter},
};
use sha2::{Digest, Sha256};
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;

use crate::{careens::Careen, world::World};

const TASK: &str = "steps: [{id: s, cmd: busybox}]";
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn run(world: &World) -> String {
    let request = world.request(TASK);
    let (outcome, _) = world.run(request, Secrets::default()).await.unwrap();
    assert_eq!(outcome.run.status, RunStatus::Succeeded);
    outcome.run.id
}

async fn kept(world: &World) -> Vec<String> {
    let runs = world.app.ports.store.runs(&RunFilter::default()).await;
    runs.unwrap().into_iter().map(|run| run.id).collect()
}

/// Uploads a context and returns its digest.
async fn upload(world: &World, bytes: &[u8]) -> ContextDigest {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    let digest = ContextDigest::parse(&format!("sha256:{hex}")).unwrap();
    world.app.append(&digest, 0, bytes).await.unwrap();
    world.app.finish_upload(&digest).await.unwrap();
    digest
}

#[tokio::test]
async fn runs_beyond_a_count_go_with_their_logs_and_files_oldest_first() {
    let world = World::new().await;
    let (first, second, third) = (run(&world).await, run(&world).await, run(&world).await);
    let saved = world.app.files.join(&first);
    std::fs::create_dir_all(&saved).unwrap();
    std::fs::write(saved.join("report"), "text").unwrap();
    let keep = Keep {
        runs: Some(2),
        ..Keep::default()
    };
    let pruned = world.app.prune(&keep).await.unwrap();
    assert_eq!(pruned.runs.len(), 1);
    assert_eq!(pruned.runs[0].name, first);
    assert_eq!(pruned.runs[0].reason, "more than 2 runs");
    assert_eq!(kept(&world).await, [third, second]);
    assert!(!saved.exists());
    assert!(world.app.prune(&keep).await.unwrap().is_nothing());
}

#[tokio::test(start_paused = true)]
async fn runs_go_by_age_and_one_that_waits_stays_however_old() {
    let world = World::new().await;
    let old = run(&world).await;
    let request = world.request(TASK);
    let (secrets, place) = (Secrets::default(), Placement::default());
    let queued = world.app.enqueue(request, &secrets, &place, "a test");
    let waiting = queued.await.unwrap().0;
    tokio::time::advance(3 * DAY).await;
    let young = run(&world).await;
    let keep = Keep {
        days: Some(2),
        ..Keep::default()
    };
    let pruned = world.app.prune(&keep).await.unwrap();
    let gone: Vec<_> = pruned.runs.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(gone, [old.as_str()]);
    assert_eq!(pruned.runs[0].reason, "older than 2 days");
    assert_eq!(kept(&world).await, [young, waiting]);
}

#[tokio::test]
async fn uploaded_contexts_go_by_size_but_none_that_a_waiting_run_needs() {
    let world = World::new().await;
    let needed = upload(&world, &[b'a'; 1000]).await;
    let loose = upload(&world, &[b'b'; 1000]).await;
    let mut request = world.request(TASK);
    request
        .values
        .insert("context".to_owned(), needed.to_string().into());
    let (secrets, place) = (Secrets::default(), Placement::default());
    let queued = world.app.enqueue(request, &secrets, &place, "a test");
    queued.await.unwrap();
    let keep = Keep {
        context_bytes: Some(100),
        ..Keep::default()
    };
    let pruned = world.app.prune(&keep).await.unwrap();
    let gone: Vec<_> = pruned.contexts.iter().map(|it| it.name.clone()).collect();
    assert_eq!(gone, [loose.to_string()]);
    assert_eq!(pruned.contexts[0].bytes, 1000);
    assert!(world.app.prune(&keep).await.unwrap().is_nothing());
}

/// A disk with so many bytes free.
struct Left(u64);

impl Disk for Left {
    fn free_bytes(&self, _: &Path) -> std::io::Result<u64> {
        Ok(self.0)
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_lets_no_new_run_begin_and_records_none() {
    let mut world = World::new().await;
    let room = |free| Arc::new(Room::new(Arc::new(Left(free)), "/data".into(), 1000));
    world.app.room = room(999);
    let request = world.request(TASK);
    let Err(error) = world.run(request, Secrets::default()).await else {
        panic!("it ran");
    };
    assert!(
        matches!(
            error,
            AppError::NoRoom {
                free_bytes: 999,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("/data has 999 bytes left"));
    assert_eq!(kept(&world).await, Vec::<String>::new());
    world.app.room = room(1000);
    run(&world).await;
}

#[tokio::test]
async fn a_worker_whose_disk_is_full_claims_nothing_and_the_run_says_what_it_waits_for() {
    let mut world = World::new().await;
    let room = |free| Arc::new(Room::new(Arc::new(Left(free)), "/data".into(), 1000));
    let request = world.request(TASK);
    let (secrets, place) = (Secrets::default(), Placement::default());
    let queued = world.app.enqueue(request, &secrets, &place, "a test");
    let id = queued.await.unwrap().0;
    world.app.room = room(10);
    assert!(
        works(&world, &id, Duration::from_millis(1500))
            .await
            .is_err()
    );
    let row = world.app.ports.store.run(&id).await.unwrap();
    let waits = world.app.place(&row).await.unwrap().unwrap().waits_for;
    assert!(waits[0].contains("/data has 10 bytes left"), "{waits:?}");
    world.app.room = room(1000);
    works(&world, &id, Duration::from_secs(30)).await.unwrap();
    let row = world.app.ports.store.run(&id).await.unwrap();
    assert!(world.app.place(&row).await.unwrap().is_none());
}

/// Lets a worker work until the run has ended.
async fn works(world: &World, run: &str, patience: Duration) -> Result<(), Elapsed> {
    let worker = Worker::new(Arc::new(world.app()), WorkerTerms::named("w"));
    let worker = worker.await.unwrap();
    let ended = async {
        let store = &world.app.ports.store;
        while !store.run(run).await.unwrap().status.is_ended() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let stop = CancellationToken::new();
    tokio::select! {
        done = tokio::time::timeout(patience, ended) => done,
        worked = worker.work(stop.clone()) => panic!("it stopped: {worked:?}"),
    }
}

#[test]
fn prune_wants_a_bound_and_says_what_it_removed() {
    let mut careen = Careen::new();
    careen
        .does(&["prune"])
        .exits(2)
        .says(&["--keep-days", "[keep]"]);
    careen
        .does(&["prune", "--keep-runs", "3"])
        .exits(0)
        .prints("removed 0 runs");
    careen.set("CAREEN_KEEP_DAYS", "30");
    let shown = careen.json(&["config", "show"]);
    assert_eq!(shown["keep.days"]["value"], "30");
    assert_eq!(careen.json(&["prune"])["runs"], serde_json::json!([]));
}
