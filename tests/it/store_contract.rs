//! Every store keeps the port's promises.

use std::time::Duration;

use crate::every_store::{new_run, on_every_store, time};
use careen::{
    adapters::memory::store::MemoryStore,
    engine::{RunStatus, StepStatus},
    ports::{
        AttemptRow, Batch, Lease, NewRun, RecordedEvent, RunFilter, RunRow, RunStore, Sealed,
        StepRow, StoreError, Trigger, TriggerKind,
    },
};
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(600);

fn event(seq: u64) -> RecordedEvent {
    RecordedEvent {
        seq,
        at: time(seq as i64),
        kind: "exited".to_owned(),
        body: json!({"step": seq, "text": "'; DROP TABLE events; --\u{1F980}", "deep": [[{"x": -1}]]}),
    }
}

fn events(numbers: std::ops::RangeInclusive<u64>) -> Batch {
    let events = numbers.map(event).collect();
    Batch {
        events,
        ..Batch::default()
    }
}

fn step(step: u32) -> StepRow {
    StepRow {
        step,
        id: format!("s{step}"),
        kind: "cmd".to_owned(),
        status: StepStatus::Waiting,
        ignored: false,
        attempts: 0,
        exit_code: None,
        reason: Some("waits for s0".to_owned()),
        started_at: None,
        ended_at: None,
        images: json!([]),
    }
}

fn attempt(step: u32, attempt: u32) -> AttemptRow {
    AttemptRow {
        step,
        attempt,
        container: Some("4f2a".to_owned()),
        outcome: None,
        exit_code: None,
        started_at: time(3),
        ended_at: None,
    }
}

async fn leased(store: &dyn RunStore, id: &str) -> Lease {
    store.create_run(&new_run(id)).await.unwrap();
    store.lease_run(id, "one", LONG, false).await.unwrap()
}

async fn summary_with(store: &dyn RunStore, id: &str, status: RunStatus) -> RunRow {
    RunRow {
        status,
        ..store.run(id).await.unwrap()
    }
}

fn lost(run: &str) -> Result<(), StoreError> {
    Err(StoreError::LeaseLost(run.to_owned()))
}

#[tokio::test]
async fn a_new_run_is_queued_and_reads_back_as_written() {
    on_every_store(async |store| {
        let sealed = |byte| Sealed {
            key_id: "k1".to_owned(),
            bytes: vec![byte; 40],
        };
        let run = NewRun {
            secrets: vec![("a".to_owned(), sealed(0)), ("b".to_owned(), sealed(255))],
            rerun_of: Some("older".to_owned()),
            ..new_run("r1")
        };
        store.create_run(&run).await.unwrap();
        let row = store.run("r1").await.unwrap();
        assert_eq!(row.status, RunStatus::Queued);
        assert_eq!(row.request, run.request);
        assert_eq!((row.generation, row.prepared), (1, Value::Null));
        assert_eq!((row.created_at, row.rerun_of), (time(0), run.rerun_of));
        assert_eq!(store.secrets("r1").await.unwrap(), run.secrets);
    })
    .await;
}

#[tokio::test]
async fn an_id_is_taken_once() {
    on_every_store(async |store| {
        store.create_run(&new_run("r1")).await.unwrap();
        let again = store.create_run(&new_run("r1")).await;
        assert_eq!(again, Err(StoreError::IdTaken("r1".to_owned())));
    })
    .await;
}

#[tokio::test]
async fn a_run_has_one_holder_at_a_time() {
    on_every_store(async |store| {
        leased(store, "r1").await;
        let second = store.lease_run("r1", "two", LONG, false).await;
        let (run, owner) = ("r1".to_owned(), "one".to_owned());
        assert_eq!(second, Err(StoreError::Held { run, owner }));
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ran_out_may_be_taken_and_its_token_grows() {
    on_every_store(async |store| {
        let first = leased(store, "r1").await;
        store.renew(&first, Duration::ZERO).await.unwrap();
        let second = store.lease_run("r1", "two", LONG, false).await.unwrap();
        assert!(second.token > first.token);
        assert_eq!(store.renew(&first, LONG).await, lost("r1"));
        store.renew(&second, LONG).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_holder_known_dead_is_replaced_by_force_and_writes_nothing_more() {
    on_every_store(async |store| {
        let first = leased(store, "r1").await;
        store.record(&first, &events(1..=1)).await.unwrap();
        let second = store.lease_run("r1", "two", LONG, true).await.unwrap();
        assert_eq!(store.record(&first, &events(2..=2)).await, lost("r1"));
        assert_eq!(store.release(&first).await, lost("r1"));
        store.record(&second, &events(2..=2)).await.unwrap();
        assert_eq!(store.events("r1", 1).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_released_run_may_be_taken_and_its_holder_writes_nothing_more() {
    on_every_store(async |store| {
        let first = leased(store, "r1").await;
        store.release(&first).await.unwrap();
        assert_eq!(store.record(&first, &events(1..=1)).await, lost("r1"));
        store.lease_run("r1", "two", LONG, false).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_a_run_that_is_there_can_be_leased_read_or_deleted() {
    on_every_store(async |store| {
        let none = || StoreError::NoSuchRun("r9".to_owned());
        let lease = store.lease_run("r9", "one", LONG, true).await;
        assert_eq!(lease, Err(none()));
        assert_eq!(store.run("r9").await, Err(none()));
        assert_eq!(store.find("r9").await, Err(none()));
        assert_eq!(store.delete_run("r9").await, Err(none()));
        assert_eq!(store.events("r9", 1).await, Ok(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn events_read_back_in_order_as_written() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        store.record(&lease, &events(1..=2)).await.unwrap();
        store.record(&lease, &Batch::default()).await.unwrap();
        store.record(&lease, &events(3..=3)).await.unwrap();
        let read = store.events("r1", 1).await.unwrap();
        assert_eq!(read, [event(1), event(2), event(3)]);
        assert_eq!(store.events("r1", 2).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_batch_with_a_gap_or_a_repeated_event_writes_nothing() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        store.record(&lease, &events(1..=2)).await.unwrap();
        for (first, found) in [(2, 2), (4, 4), (1, 1)] {
            let batch = Batch {
                steps: vec![step(0)],
                ..events(first..=first + 1)
            };
            let error = StoreError::OutOfOrder {
                run: "r1".to_owned(),
                expected: 3,
                found,
            };
            assert_eq!(store.record(&lease, &batch).await, Err(error));
        }
        assert_eq!(store.events("r1", 1).await.unwrap().len(), 2);
        assert_eq!(store.steps("r1").await.unwrap(), []);
        store.record(&lease, &events(3..=3)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn steps_and_attempts_show_what_was_written_last() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        let first = Batch {
            steps: vec![step(1), step(0)],
            attempts: vec![attempt(0, 2), attempt(0, 1)],
            ..Batch::default()
        };
        store.record(&lease, &first).await.unwrap();
        let ended = StepRow {
            status: StepStatus::TimedOut,
            ignored: true,
            attempts: 2,
            exit_code: Some(-1),
            reason: None,
            started_at: Some(time(1)),
            ended_at: Some(time(2)),
            images: json!({"used": "alpine@sha256:0"}),
            ..step(0)
        };
        let over = AttemptRow {
            outcome: Some("failed".to_owned()),
            exit_code: Some(137),
            ended_at: Some(time(9)),
            ..attempt(0, 2)
        };
        let second = Batch {
            steps: vec![ended.clone()],
            attempts: vec![over.clone()],
            ..Batch::default()
        };
        store.record(&lease, &second).await.unwrap();
        assert_eq!(store.steps("r1").await.unwrap(), [ended, step(1)]);
        assert_eq!(store.attempts("r1").await.unwrap(), [attempt(0, 1), over]);
    })
    .await;
}

#[tokio::test]
async fn a_batch_may_be_as_wide_as_a_run() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        let batch = Batch {
            steps: (0..10_000).map(step).collect(),
            attempts: (0..10_000).map(|step| attempt(step, 1)).collect(),
            ..events(1..=10_000)
        };
        store.record(&lease, &batch).await.unwrap();
        assert_eq!(store.events("r1", 1).await.unwrap(), batch.events);
        assert_eq!(store.steps("r1").await.unwrap(), batch.steps);
        assert_eq!(store.attempts("r1").await.unwrap(), batch.attempts);
    })
    .await;
}

#[tokio::test]
async fn a_summary_changes_what_a_worker_may_change() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        let before = store.run("r1").await.unwrap();
        let wanted = RunRow {
            status: RunStatus::Running,
            reason: Some("because".to_owned()),
            started_at: Some(time(1)),
            ended_at: Some(time(2)),
            steps: 7,
            steps_ended: 3,
            ..before
        };
        let batch = Batch {
            run: Some(RunRow {
                request: Value::Null,
                name: "another".to_owned(),
                ..wanted.clone()
            }),
            prepared: Some(json!({"hash": "abc"})),
            ..Batch::default()
        };
        store.record(&lease, &batch).await.unwrap();
        let after = store.run("r1").await.unwrap();
        let prepared = json!({"hash": "abc"});
        assert_eq!(after, RunRow { prepared, ..wanted });
    })
    .await;
}

#[tokio::test]
async fn an_ended_run_is_free_but_its_holder_may_write_until_it_is_taken() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        let batch = Batch {
            run: Some(summary_with(store, "r1", RunStatus::Failed).await),
            ..events(1..=1)
        };
        store.record(&lease, &batch).await.unwrap();
        store.record(&lease, &events(2..=2)).await.unwrap();
        store.lease_run("r1", "two", LONG, false).await.unwrap();
        assert_eq!(store.record(&lease, &events(3..=3)).await, lost("r1"));
    })
    .await;
}

#[tokio::test]
async fn people_name_runs_by_id_by_its_beginning_or_by_age() {
    on_every_store(async |store| {
        for id in ["ab", "abc1", "abd2", "xyz"] {
            store.create_run(&new_run(id)).await.unwrap();
        }
        let none = |word: &str| Err(StoreError::NoSuchRun(word.to_owned()));
        let many = |word: &str| Err(StoreError::Ambiguous(word.to_owned()));
        for (word, expected) in [
            ("ab", Ok("ab".to_owned())),
            ("abc", Ok("abc1".to_owned())),
            ("a", many("a")),
            ("latest", Ok("xyz".to_owned())),
            ("latest~1", Ok("abd2".to_owned())),
            ("latest~3", Ok("ab".to_owned())),
            ("latest~4", none("latest~4")),
            ("latest~x", none("latest~x")),
            ("b", none("b")),
            ("%", none("%")),
        ] {
            assert_eq!(store.find(word).await, expected, "{word}");
        }
    })
    .await;
}

#[tokio::test]
async fn runs_are_listed_newest_first_as_filtered() {
    on_every_store(async |store| {
        for id in ["c", "a", "b"] {
            let lease = leased(store, id).await;
            if id == "a" {
                let run = Some(summary_with(store, id, RunStatus::Succeeded).await);
                let batch = Batch {
                    run,
                    ..Batch::default()
                };
                store.record(&lease, &batch).await.unwrap();
            }
        }
        let other = NewRun {
            name: "other".to_owned(),
            ..new_run("d")
        };
        store.create_run(&other).await.unwrap();
        let list = async |filter: RunFilter| -> String {
            let rows = store.runs(&filter).await.unwrap();
            assert!(rows.iter().all(|row| row.request == Value::Null));
            rows.into_iter().map(|row| row.id).collect()
        };
        let all = RunFilter::default;
        let before = Some("b".to_owned());
        assert_eq!(list(all()).await, "dbac");
        assert_eq!(list(RunFilter { limit: 2, ..all() }).await, "db");
        assert_eq!(list(RunFilter { before, ..all() }).await, "ac");
        let unfinished = true;
        assert_eq!(
            list(RunFilter {
                unfinished,
                ..all()
            })
            .await,
            "dbc"
        );
        let status = Some(RunStatus::Succeeded);
        assert_eq!(list(RunFilter { status, ..all() }).await, "a");
        let name = Some("other".to_owned());
        assert_eq!(list(RunFilter { name, ..all() }).await, "d");
    })
    .await;
}

#[tokio::test]
async fn runs_are_found_by_what_started_them_by_their_branch_and_by_their_images() {
    on_every_store(async |store| {
        let by_timer = Trigger::new(TriggerKind::Timer, "timer web nightly", json!({}));
        for (id, trigger, asked) in [
            ("a", None, "main"),
            ("b", Some(by_timer), ""),
            ("c", None, "main"),
        ] {
            let request = json!({"vars": {"branch": asked}, "text": "\u{0}"});
            let run = NewRun {
                trigger,
                request,
                ..new_run(id)
            };
            store.create_run(&run).await.unwrap();
        }
        // What the worker of b found out, and what a step of c pushed.
        let lease = store.lease_run("b", "one", LONG, false).await.unwrap();
        let prepared = Some(json!({"branch": "fix_1"}));
        let batch = Batch {
            run: Some(store.run("b").await.unwrap()),
            prepared,
            ..Batch::default()
        };
        store.record(&lease, &batch).await.unwrap();
        let lease = store.lease_run("c", "one", LONG, false).await.unwrap();
        let pushed = StepRow {
            images: json!([{
                "image": "registry.example/web:v1", "digest": "sha256:4fa0",
                "dependencies": [{"runtime-dependency": {"reference": "docker.io/library/GO_1"}}],
            }]),
            ..step(0)
        };
        let batch = Batch {
            steps: vec![pushed],
            ..Batch::default()
        };
        store.record(&lease, &batch).await.unwrap();
        for (query, expected) in [
            ("trigger=person", "ca"),
            ("trigger=timer", "b"),
            ("trigger=fleet", ""),
            ("branch=main", "ca"),
            ("branch=fix_1", "b"),
            ("branch=fixx1", ""),
            ("image=Example/web", "c"),
            ("image=sha256:4fa0", "c"),
            ("image=go_1", "c"),
            ("image=gox1", ""),
            ("image=%", ""),
            ("branch=fix_1&image=web", ""),
            ("trigger=person&branch=main&image=web:v1", "c"),
        ] {
            let mut filter = RunFilter::default();
            for (name, value) in query.split('&').filter_map(|it| it.split_once('=')) {
                match name {
                    "trigger" => filter.starter = Some(value.parse().unwrap()),
                    "branch" => filter.branch = Some(value.to_owned()),
                    _ => filter.image = Some(value.to_owned()),
                }
            }
            let rows = store.runs(&filter).await.unwrap();
            let found: String = rows.into_iter().map(|row| row.id).collect();
            assert_eq!(found, expected, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_run_leaves_nothing() {
    on_every_store(async |store| {
        let lease = leased(store, "r1").await;
        let batch = Batch {
            steps: vec![step(0)],
            attempts: vec![attempt(0, 1)],
            ..events(1..=1)
        };
        store.record(&lease, &batch).await.unwrap();
        store.delete_run("r1").await.unwrap();
        assert_eq!(store.record(&lease, &events(2..=2)).await, lost("r1"));
        store.create_run(&new_run("r1")).await.unwrap();
        assert_eq!(store.events("r1", 1).await.unwrap(), []);
        assert_eq!(store.steps("r1").await.unwrap(), []);
        assert_eq!(store.attempts("r1").await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_memory_store_fails_stalls_and_loses_leases_when_told() {
    let store = MemoryStore::new("m");
    let lease = leased(&store, "r1").await;
    store.fail_next_record(1);
    let failed = store.record(&lease, &events(1..=1)).await;
    assert_eq!(failed, Err(StoreError::DiskFull));
    store.stall(true);
    let batch = events(1..=1);
    let mut record = store.record(&lease, &batch);
    assert!(futures_util::poll!(&mut record).is_pending());
    store.stall(false);
    record.await.unwrap();
    store.lose_lease("r1");
    assert_eq!(store.record(&lease, &events(2..=2)).await, lost("r1"));
}
