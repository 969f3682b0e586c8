//! Every store says what of the past may go; those on a disk are copied and put back while others use them.

use std::{path::Path, time::Duration};

use careen::{
    adapters::{memory::store::MemoryStore, sqlite::SqliteStore},
    engine::RunStatus,
    fleet::RolloutState,
    ports::{
        AccessStore, AuditEntry, Bases, Batch, Deliveries, DeliveryFilter, Firing, FleetStore,
        NewBase, NewDecision, NewDelivery, NewTimer, Observation, Placement, Queue, RolloutRow,
        Ruling, RunFilter, RunRow, RunStore, Timers, Upkeep, Verdict,
    },
    triggers::{Base, Provider},
};
use chrono::TimeDelta;

use crate::{
    every_store::{new_run, on_postgres, time},
    fleet_contract::rollout,
};

trait Store: RunStore + Queue + Upkeep + Deliveries + Timers + Bases + FleetStore {}
impl<T: RunStore + Queue + Upkeep + Deliveries + Timers + Bases + FleetStore> Store for T {}

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

/// A delivery, decided or not.
async fn delivered(store: &dyn Store, id: &str, second: i64, is_decided: bool) {
    let delivery = NewDelivery {
        id: id.to_owned(),
        source: "hub".to_owned(),
        task: None,
        provider: Provider::Github,
        event: "push".to_owned(),
        headers: Default::default(),
        body: Vec::new(),
        at: time(second),
    };
    store.accept(&[delivery]).await.unwrap();
    if is_decided {
        let newest = DeliveryFilter {
            before: None,
            limit: 1,
        };
        let number = store.deliveries(&newest).await.unwrap()[0].number;
        let verdict = Verdict {
            delivery: Some(number),
            scope: String::new(),
            replay: 0,
            rulings: vec![Ruling::none("nobody watches")],
            at: time(second),
        };
        store.decide(&verdict).await.unwrap();
    }
}

/// A time of a timer that was passed over.
async fn occurred(store: &dyn Store, second: i64) {
    let timer = NewTimer {
        name: "t".to_owned(),
        spec: format!("at {second}"),
        next_at: time(second),
        due_at: time(second),
    };
    store.put_timers("task", 1, &[timer]).await.unwrap();
    let claimed = store.claim_timers(time(second), time(second), 1).await;
    let later = time(second) + TimeDelta::hours(1);
    let firing = Firing {
        timer: claimed.unwrap().remove(0),
        runs: Vec::new(),
        passed: Some((time(second), "passed over".to_owned())),
        next: Some((later, later)),
        decided_at: time(second),
    };
    store.fire(&[firing]).await.unwrap();
}

/// A base that moved, and what two tasks think of it.
async fn moved(store: &dyn Store, to: &str, second: i64, is_waiting: bool) {
    let decision = |task: &str, due_at| NewDecision {
        task: task.to_owned(),
        due_at,
        reason: String::new(),
    };
    let watch = store.watches(None).await.unwrap().remove(0);
    let observation = Observation {
        key: watch.key,
        from: watch.seen,
        to: to.to_owned(),
        etag: None,
        how: "poll".to_owned(),
        at: time(second),
        next_at: time(second),
    };
    let due = is_waiting.then(|| time(900));
    let decisions = [decision("task", due), decision("other", None)];
    assert!(store.observe(&observation, &decisions).await.unwrap());
}

#[tokio::test]
async fn facts_are_forgotten_by_age_unless_something_waits_for_them() {
    on_every_store(async |store| {
        delivered(store, "old", 10, true).await;
        delivered(store, "undecided", 11, false).await;
        delivered(store, "new", 60, true).await;
        occurred(store, 12).await;
        occurred(store, 61).await;
        let base = NewBase {
            base: Base {
                key: "r.io/go:1".to_owned(),
                is_runtime: true,
                stood_on: None,
            },
            repository: "r.io/go".to_owned(),
            rule: None,
        };
        let learned = ("task", time(0));
        store.put_bases("task", &[base], learned).await.unwrap();
        moved(store, "a", 13, false).await;
        moved(store, "b", 14, true).await;
        moved(store, "c", 62, false).await;
        // The old delivery, one time of the timer, both decisions about `a` and the one about `b` that waits for
        // nothing; in a database also the observation of `a`.
        let gone = store.forget_facts(time(50)).await.unwrap();
        assert!((5..=6).contains(&gone), "{gone}");
        assert_eq!(store.forget_facts(time(50)).await.unwrap(), 0);
        let all = DeliveryFilter {
            before: None,
            limit: 9,
        };
        let left = store.deliveries(&all).await.unwrap();
        let left: Vec<&str> = left.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(left, ["new", "undecided"]);
        let times = store.occurrences("task", 9).await.unwrap();
        assert_eq!(times.len(), 1);
        let moves = store.decisions(None, 9).await.unwrap();
        let moves: Vec<(&str, &str)> = moves
            .iter()
            .map(|it| (it.to.as_str(), it.task.as_str()))
            .collect();
        assert_eq!(moves, [("c", "other"), ("c", "task"), ("b", "task")]);
        assert_eq!(store.due_moves(time(901)).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn rollouts_are_forgotten_when_they_are_over_and_old() {
    on_every_store(async |store| {
        let rollouts = [
            ("old", 10, RolloutState::Done),
            ("open", 11, RolloutState::Paused),
            ("again", 12, RolloutState::Scheduled),
            ("new", 60, RolloutState::Canceled),
        ];
        for (id, second, state) in rollouts {
            let rollout = RolloutRow {
                state,
                ..rollout(id, second)
            };
            store.put_rollout(&rollout).await.unwrap();
        }
        assert_eq!(store.forget_facts(time(50)).await.unwrap(), 1);
        let left = store.rollouts(false, 9).await.unwrap();
        let left: Vec<&str> = left.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(left, ["new", "again", "open"]);
    })
    .await;
}
