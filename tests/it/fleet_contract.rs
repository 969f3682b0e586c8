//! Every store keeps the fleet alike: entries in order and once, ends learned once, rollouts changed by one at a time.

use std::time::Duration;

use careen::{
    adapters::{memory::store::MemoryTasks, sqlite::SqliteStore},
    engine::RunStatus,
    fleet::{Fact, InputSet, Outcome, RolloutState},
    ports::{
        Batch, Expected, FleetEntry, Placement, RolloutRow, RolloutSchedule, RunRow, TaskChange,
        TaskEntry, TaskStore,
    },
    tasks::Definition,
};

use crate::every_store::{Store, connect, new_run, on_every_store, on_postgres_at, time};

fn seen(image: &str, digest: &str) -> FleetEntry {
    let (image, digest, at) = (image.to_owned(), digest.to_owned(), time(1));
    Fact::Seen { image, digest, at }.into()
}

fn queued(run: &str) -> FleetEntry {
    let fact = Fact::Queued {
        task: "app".to_owned(),
        inputs: InputSet::default(),
        epoch: 0,
        run: run.to_owned(),
        origin: None,
        at: time(2),
    };
    fact.into()
}

fn ended(run: &str) -> FleetEntry {
    let outcome = Outcome::Built {
        digests: [("app:1".to_owned(), "sha256:1".to_owned())].into(),
        unchanged: false,
    };
    let (run, at) = (run.to_owned(), time(3));
    Fact::Ended { run, outcome, at }.into()
}

async fn known(store: &dyn Store, after: i64, limit: u32) -> (Vec<FleetEntry>, i64) {
    let found = store.entries_after(after, limit).await.unwrap();
    let last = found.last().map_or(after, |it| it.number);
    (found.into_iter().map(|it| it.entry).collect(), last)
}

#[tokio::test]
async fn what_is_known_is_read_on_in_order_and_what_is_known_once_is_kept_once() {
    on_every_store(async |store| {
        let took = FleetEntry::Task(TaskEntry::Took {
            task: "app".to_owned(),
            seconds: 3,
        });
        let first = [seen("base", "1"), queued("r1"), took];
        store.add_entries(&first).await.unwrap();
        let (found, last) = known(store, 0, 2).await;
        assert_eq!(found, first[..2]);
        let (found, last) = known(store, last, 9).await;
        assert_eq!(found, first[2..]);
        let again = [queued("r1"), seen("base", "1"), ended("r1"), ended("r1")];
        store.add_entries(&again).await.unwrap();
        let (found, _) = known(store, last, 9).await;
        assert_eq!(found, [seen("base", "1"), ended("r1")]);
    })
    .await;
}

#[tokio::test]
async fn what_is_forgotten_is_gone_and_its_number_is_not_given_again() {
    on_every_store(async |store| {
        let first = [seen("base", "1"), queued("r1"), ended("r1")];
        store.add_entries(&first).await.unwrap();
        let (_, last) = known(store, 0, 9).await;
        let numbers: Vec<i64> = store.entries_after(0, 9).await.unwrap()[1..]
            .iter()
            .map(|it| it.number)
            .collect();
        assert_eq!(store.forget_entries(&numbers).await.unwrap(), 2);
        assert_eq!(store.forget_entries(&numbers).await.unwrap(), 0);
        assert_eq!(known(store, 0, 9).await.0, first[..1]);
        // Whoever had read all of it goes on with what comes next.
        store
            .add_entries(&[queued("r1"), seen("base", "2")])
            .await
            .unwrap();
        let (found, _) = known(store, last, 9).await;
        assert_eq!(found, [queued("r1"), seen("base", "2")]);
        assert_eq!(known(store, 0, 9).await.0.len(), 3);
        store.create_run(&new_run("here")).await.unwrap();
        let asked = ["gone".to_owned(), "here".to_owned()];
        assert_eq!(store.runs_gone(&asked).await.unwrap(), ["gone"]);
    })
    .await;
}

/// A rollout that is under way.
pub fn rollout(id: &str, second: i64) -> RolloutRow {
    RolloutRow {
        id: id.to_owned(),
        bases: vec!["base".to_owned()],
        tasks: ["app".to_owned()].into(),
        max_parallel: Some(2),
        canary: None,
        state: RolloutState::Running,
        epoch: 0,
        by: "someone".to_owned(),
        schedule: Some(RolloutSchedule {
            cron: "0 3 * * *".to_owned(),
            time_zone: None,
            next_at: time(9),
        }),
        begun_by: None,
        created_at: time(second),
        ended_at: None,
        reason: None,
        version: 0,
    }
}

#[tokio::test]
async fn a_rollout_is_changed_only_by_who_has_read_how_it_stands() {
    on_every_store(async |store| {
        assert!(store.put_rollout(&rollout("a", 1)).await.unwrap());
        assert!(!store.put_rollout(&rollout("a", 1)).await.unwrap());
        assert!(store.put_rollout(&rollout("b", 2)).await.unwrap());
        let mut read = store.rollout("a").await.unwrap().unwrap();
        assert_eq!(
            (read.version, &read.schedule),
            (1, &rollout("a", 1).schedule)
        );
        let late = read.clone();
        read.state = RolloutState::Done;
        assert!(store.put_rollout(&read).await.unwrap());
        assert!(
            !store.put_rollout(&late).await.unwrap(),
            "another was first"
        );
        let ids = |found: Vec<RolloutRow>| found.into_iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(store.rollouts(false, 9).await.unwrap()), ["b", "a"]);
        assert_eq!(ids(store.rollouts(false, 1).await.unwrap()), ["b"]);
        assert_eq!(ids(store.rollouts(true, 9).await.unwrap()), ["b"]);
        assert_eq!(store.rollout("c").await.unwrap(), None);
    })
    .await;
}

/// Queues a run of this name and ends it.
async fn run_to_end(store: &dyn Store, id: &str, name: &str) {
    let mut run = new_run(id);
    run.name = name.to_owned();
    store.enqueue(&run, &Placement::default()).await.unwrap();
    let time_left = Duration::from_secs(60);
    let lease = store.lease_run(id, "w", time_left, true).await.unwrap();
    let run = RunRow {
        status: RunStatus::Succeeded,
        ended_at: Some(time(9)),
        ..store.run(id).await.unwrap()
    };
    let batch = Batch {
        run: Some(run),
        ..Batch::default()
    };
    store.record(&lease, &batch).await.unwrap();
}

async fn ends_are_learned_once(store: &dyn Store, tasks: &dyn TaskStore) {
    let change = TaskChange {
        definition: Definition::named("app"),
        secrets: Vec::new(),
        expected: Expected::Any,
        manifest: None,
        by: "a test".to_owned(),
        at: time(0),
    };
    tasks.put_task(&change).await.unwrap();
    run_to_end(store, "r1", "app").await;
    run_to_end(store, "r2", "app").await;
    assert_eq!(store.unlearned_ends(1).await.unwrap(), ["r1"]);
    assert_eq!(store.unlearned_ends(9).await.unwrap(), ["r1", "r2"]);
    let lesson = [queued("r1"), ended("r1")];
    assert!(store.learn_end("r1", &lesson).await.unwrap());
    assert!(!store.learn_end("r1", &[seen("x", "y")]).await.unwrap());
    assert_eq!(known(store, 0, 9).await.0, lesson);
    store.delete_run("r2").await.unwrap();
    assert_eq!(store.unlearned_ends(9).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn the_end_of_a_run_is_learned_from_once() {
    let memory = careen::adapters::memory::store::MemoryStore::new("memory");
    ends_are_learned_once(&memory, &MemoryTasks::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let sqlite = SqliteStore::open(&path).await.unwrap();
    ends_are_learned_once(&sqlite, &sqlite).await;
    on_postgres_at(async |address| {
        let postgres = connect(&address).await;
        ends_are_learned_once(&postgres, &postgres).await;
    })
    .await;
}
