//! Every store says what of the past may go; those on a disk are copied and put back while others use them.

use std::{path::Path, time::Duration};

use careen::{
    adapters::{memory::store::MemoryStore, sqlite::SqliteStore},
    engine::RunStatus,
    ports::{
        AccessStore, AuditEntry, Batch, Placement, Queue, RunFilter, RunRow, RunStore, Upkeep,
    },
};

use crate::every_store::{new_run, on_postgres, time};

trait Store: RunStore + Queue + Upkeep {}
impl<T: RunStore + Queue + Upkeep> Store for T {}

trait Lasting: Store + AccessStore {}
impl<T: Store + AccessStore> Lasting for T {}

/// Checks a claim on each store.
async fn on_every_store(claim: impl AsyncFn(&dyn Store)) {
    claim(&MemoryStore::new("memory")).await;
    on_every_disk(async |store, _| claim(store).await).await;
}

/// Checks a claim on each store that outlives its process, with a folder for its copies.
async fn on_every_disk(claim: impl AsyncFn(&dyn Lasting, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("careen.db")).await;
    let dump = tempfile::tempdir().unwrap();
    claim(&store.unwrap(), dump.path()).await;
    let dump = tempfile::tempdir().unwrap();
    on_postgres(async |store| claim(&store, dump.path()).await).await;
}

async fn ended(store: &(impl RunStore + ?Sized), id: &str, second: i64) {
    store.create_run(&new_run(id)).await.unwrap();
    let lease = store.lease_run(id, "w", Duration::from_secs(60), false);
    let lease = lease.await.unwrap();
    let run = RunRow {
        status: RunStatus::Succeeded,
        ended_at: Some(time(second)),
        ..store.run(id).await.unwrap()
    };
    let batch = Batch {
        run: Some(run),
        ..Batch::default()
    };
    store.record(&lease, &batch).await.unwrap();
}

async fn ids(store: &(impl RunStore + ?Sized)) -> Vec<String> {
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    runs.into_iter().map(|run| run.id).collect()
}

async fn audit(store: &(impl AccessStore + ?Sized), action: &str) -> u64 {
    let entry = AuditEntry {
        number: 0,
        at: time(0),
        who: "ann".to_owned(),
        action: action.to_owned(),
        status: 200,
        address: String::new(),
    };
    store.audit(&entry).await.unwrap();
    store.audited(0, 1).await.unwrap()[0].number
}

#[tokio::test]
async fn ended_runs_are_listed_first_come_first_and_others_never() {
    on_every_store(async |store| {
        for (id, second) in [("a", 30), ("b", 10), ("c", 20)] {
            ended(store, id, second).await;
        }
        store.create_run(&new_run("under-way")).await.unwrap();
        let listed = async |before: Option<i64>, limit| {
            let runs = store.ended_runs(before.map(time), limit).await.unwrap();
            runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(None, 10).await, ["a", "b", "c"]);
        assert_eq!(listed(None, 2).await, ["a", "b"]);
        assert_eq!(listed(Some(25), 10).await, ["b", "c"]);
        assert_eq!(listed(Some(10), 10).await, Vec::<String>::new());
        assert_eq!(store.ended_totals().await.unwrap().runs, 3);
        store.delete_run("b").await.unwrap();
        assert_eq!(store.ended_totals().await.unwrap().runs, 2);
        let last = store.ended_runs(None, 10).await.unwrap().remove(1);
        assert_eq!((last.id.as_str(), last.ended_at), ("c", time(20)));
    })
    .await;
}

#[tokio::test]
async fn what_was_dumped_comes_back_and_what_came_later_goes() {
    on_every_disk(async |store, dump| {
        ended(store, "kept", 1).await;
        store
            .enqueue(&new_run("waiting"), &Placement::default())
            .await
            .unwrap();
        let before = audit(store, "before").await;
        store.dump(dump).await.unwrap();
        let as_dumped = store.run("kept").await.unwrap();
        store.delete_run("kept").await.unwrap();
        store.create_run(&new_run("later")).await.unwrap();
        audit(store, "later").await;
        store.restore(dump).await.unwrap();
        assert_eq!(ids(store).await, ["waiting", "kept"]);
        assert_eq!(store.run("kept").await.unwrap(), as_dumped);
        let audited = store.audited(0, 10).await.unwrap();
        assert_eq!(audited.len(), 1);
        assert_eq!(audited[0].number, before);
        // Numbers go on: neither runs nor entries take one that is taken.
        store.create_run(&new_run("new")).await.unwrap();
        assert_eq!(ids(store).await, ["new", "waiting", "kept"]);
        assert!(audit(store, "new").await > before);
    })
    .await;
}

#[tokio::test]
async fn a_dump_is_of_one_moment_while_others_write() {
    on_every_disk(async |store, dump| {
        let writing = async {
            for n in 0..60 {
                ended(store, &format!("r{n}"), n).await;
            }
        };
        let dumping = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            store.dump(dump).await.unwrap();
        };
        tokio::join!(writing, dumping);
        store.restore(dump).await.unwrap();
        // No gap, and each run with all that belongs to it.
        let found = ids(store).await;
        let wanted: Vec<String> = (0..found.len()).rev().map(|n| format!("r{n}")).collect();
        assert_eq!(found, wanted);
        for id in found {
            assert_eq!(store.run(&id).await.unwrap().request, new_run(&id).request);
        }
    })
    .await;
}
