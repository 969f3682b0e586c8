//! Writers of one SQLite file who wait together share a commit, and nobody pays for what another gives up.

use std::{path::Path, sync::Arc, time::Duration};

use careen::{
    adapters::sqlite::SqliteStore,
    ports::{NewRun, RunFilter, RunStore, StoreError},
};
use tokio::{task::JoinSet, time::timeout};

use crate::every_store::new_run;

/// Far less than SQLite's patience with a lock.
const SOON: Duration = Duration::from_secs(3);

async fn open(folder: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(&folder.join("careen.db")).await.unwrap())
}

/// How many commits stand in the write-ahead log.
fn commits(folder: &Path) -> usize {
    let log = std::fs::read(folder.join("careen.db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let frame = 24 + number(8) as usize;
    // The last frame of a commit tells the size of the database after it.
    let frames = (32..log.len()).step_by(frame);
    frames.filter(|at| number(at + 4) != 0).count()
}

async fn side_by_side(
    store: &Arc<SqliteStore>,
    runs: impl IntoIterator<Item = NewRun>,
) -> Vec<Result<(), StoreError>> {
    let mut writes = JoinSet::new();
    for run in runs {
        let store = store.clone();
        writes.spawn(async move { store.create_run(&run).await });
    }
    writes.join_all().await
}

async fn ids(store: &SqliteStore) -> Vec<String> {
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    runs.into_iter().map(|run| run.id).collect()
}

#[tokio::test]
async fn writers_who_wait_together_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let before = commits(folder.path());
    let writes = side_by_side(&store, (0..48).map(|n| new_run(&format!("r{n}")))).await;
    assert!(writes.iter().all(Result::is_ok), "{writes:?}");
    let shared = commits(folder.path()) - before;
    assert!((1..=12).contains(&shared), "48 writes in {shared} commits");
}

#[tokio::test]
async fn a_write_that_is_refused_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    // Each id twice: one of the two is refused, wherever in a transaction it stands.
    let runs = (0..40).map(|n| new_run(&format!("r{}", n / 2)));
    let writes = side_by_side(&store, runs).await;
    assert_eq!(writes.iter().filter(|it| it.is_ok()).count(), 20);
    assert_eq!(ids(&store).await.len(), 20);
    for id in ids(&store).await {
        assert_eq!(store.run(&id).await.unwrap().request, new_run(&id).request);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_nobody_waits_for_any_more_hold_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (open(folder.path()).await, open(folder.path()).await);
    for round in 0..150_u64 {
        let dropped = new_run(&format!("dropped-{round}"));
        let given_up = timeout(
            Duration::from_micros(round * 20),
            store.create_run(&dropped),
        );
        let (kept, _) = tokio::join!(
            side_by_side(&store, [new_run(&format!("kept-{round}"))]),
            given_up
        );
        assert_eq!(kept, [Ok(())]);
    }
    // Another process is not locked out, and what is there is there as a whole.
    let run = new_run("of another");
    let write = timeout(SOON, other.create_run(&run)).await;
    write.expect("nobody holds the lock").unwrap();
    let found = ids(&store).await;
    let kept = found.iter().filter(|id| id.starts_with("kept")).count();
    assert_eq!(kept, 150);
    for id in found {
        store.run(&id).await.unwrap();
    }
}
