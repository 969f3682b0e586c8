//! Writes of one process that wait for Postgres together go in one statement, and nobody pays for what is refused.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use careen::{
    adapters::postgres::PostgresStore,
    engine::RunStatus,
    ports::{
        Batch, Claim, Claimed, Lease, Placement, Queue, RecordedEvent, RunRow, RunStore, StoreError,
    },
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::task::JoinSet;

use crate::every_store::{ample, connect, new_run, on_postgres_at, time};

const RUNS: usize = 48;
const LONG: Duration = Duration::from_secs(600);

fn end(run: RunRow) -> Batch {
    let event = RecordedEvent {
        seq: 1,
        at: time(1),
        kind: "tidied".to_owned(),
        body: json!({"kind": "tidied", "of": run.id}),
    };
    let run = RunRow {
        status: RunStatus::Succeeded,
        ended_at: Some(time(2)),
        ..run
    };
    Batch {
        events: vec![event],
        run: Some(run),
        prepared: Some(json!({"b": 1, "a": "\u{0}"})),
        ..Batch::default()
    }
}

/// Begins all at once; the answers stand in the order of the work.
async fn side_by_side<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    all: impl Iterator<Item = F>,
) -> Vec<T> {
    let mut tasks = JoinSet::new();
    let numbered = all.enumerate();
    numbered.for_each(|(n, one)| drop(tasks.spawn(async move { (n, one.await) })));
    let mut done = tasks.join_all().await;
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, answer)| answer).collect()
}

async fn enqueue(store: &Arc<PostgresStore>, ids: &[String]) -> Vec<Result<(), StoreError>> {
    side_by_side(ids.iter().map(|id| {
        let (store, run) = (store.clone(), new_run(id));
        async move { store.enqueue(&run, &Placement::default()).await.map(drop) }
    }))
    .await
}

async fn record(
    store: &Arc<PostgresStore>,
    all: impl IntoIterator<Item = (Lease, Batch)>,
) -> Vec<Result<(), StoreError>> {
    side_by_side(all.into_iter().map(|(lease, batch)| {
        let store = store.clone();
        async move { store.record(&lease, &batch).await }
    }))
    .await
}

async fn leased(store: &PostgresStore, id: &str) -> (Lease, Batch) {
    let lease = store.lease_run(id, "w", LONG, false).await.unwrap();
    (lease, end(store.run(id).await.unwrap()))
}

async fn number(connection: &mut PgConnection, query: &'static str) -> usize {
    let row = sqlx::query(query).fetch_one(connection).await.unwrap();
    row.get::<i64, _>(0) as usize
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("r{n}")).collect()
}

#[tokio::test]
async fn writes_that_wait_together_share_a_statement() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        let mut outside = PgConnection::connect_with(&address.parse().unwrap())
            .await
            .unwrap();
        assert_eq!(enqueue(&store, &ids(RUNS)).await, vec![Ok(()); RUNS]);
        let commits = "SELECT count(DISTINCT xmin::text) FROM documents";
        let shared = number(&mut outside, commits).await;
        assert!((1..=RUNS / 4).contains(&shared), "{RUNS} runs in {shared}");

        let mut ends = Vec::new();
        for id in ids(RUNS) {
            ends.push(leased(&store, &id).await);
        }
        assert_eq!(record(&store, ends).await, vec![Ok(()); RUNS]);
        let commits = "SELECT count(DISTINCT xmin::text) FROM events";
        let shared = number(&mut outside, commits).await;
        assert!((1..=RUNS / 4).contains(&shared), "{RUNS} ends in {shared}");
        for id in ids(RUNS) {
            let (run, events) = (store.run(&id).await, store.events(&id, 1).await);
            assert_eq!(run.unwrap().prepared, json!({"b": 1, "a": "\u{0}"}));
            assert_eq!(events.unwrap()[0].body["of"], json!(id));
        }
    })
    .await;
}

fn worker(name: usize) -> Claim {
    Claim {
        worker: format!("w{name}"),
        engine: "engine".to_owned(),
        pool: "default".to_owned(),
        time: LONG,
        left: ample(),
        homes: Vec::new(),
    }
}

async fn claim(
    store: &Arc<PostgresStore>,
    wishes: impl Iterator<Item = Claim>,
) -> Vec<Option<Claimed>> {
    side_by_side(wishes.map(|wish| {
        let store = store.clone();
        async move { store.claim(&wish).await.unwrap() }
    }))
    .await
}

#[tokio::test]
async fn workers_that_ask_together_get_a_run_each_in_one_statement() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        let mut outside = PgConnection::connect_with(&address.parse().unwrap())
            .await
            .unwrap();
        enqueue(&store, &ids(RUNS - 8)).await;
        let claimed = claim(&store, (0..RUNS).map(worker)).await;
        for (n, claimed) in claimed.iter().enumerate() {
            let owner = claimed.as_ref().map(|it| it.lease.owner.clone());
            assert!(owner.is_none_or(|it| it == format!("w{n}")), "{claimed:?}");
        }
        let leases = claimed.iter().flatten().map(|it| it.lease.run.clone());
        let runs: BTreeSet<String> = leases.collect();
        assert_eq!(runs.len(), RUNS - 8);
        let commits = "SELECT count(DISTINCT xmin::text) FROM runs";
        let shared = number(&mut outside, commits).await;
        assert!((1..=RUNS / 4).contains(&shared), "{RUNS} in {shared}");
    })
    .await;
}

#[tokio::test]
async fn a_run_of_another_lane_that_comes_first_goes_first() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        for round in 0..10 {
            let pool = format!("pool-{round}");
            for (priority, label) in [(9, None), (1, None), (5, Some("gpu"))] {
                let mut place = Placement {
                    pool: pool.clone(),
                    priority,
                    ..Placement::default()
                };
                let label = label.map(|it| (it.to_owned(), "yes".to_owned()));
                place.needs.labels.extend(label);
                let run = new_run(&format!("r{round}-{priority}"));
                store.enqueue(&run, &place).await.unwrap();
            }
            let wish = |n| {
                let mut wish = worker(n);
                wish.pool = pool.clone();
                wish.left.labels.insert("gpu".to_owned(), "yes".to_owned());
                wish
            };
            let claimed = claim(&store, [wish(0), wish(1)].into_iter()).await;
            let claimed = claimed.into_iter().map(|it| it.unwrap().lease.run);
            let expected = [9, 5].map(|priority| format!("r{round}-{priority}"));
            assert_eq!(claimed.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
        }
    })
    .await;
}

#[tokio::test]
async fn who_is_to_drain_or_has_too_little_gets_none_beside_others() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        let mut outside = PgConnection::connect_with(&address.parse().unwrap())
            .await
            .unwrap();
        let draining = "INSERT INTO workers (name, pool, facts, state, seen_at)
            SELECT 'w' || n, 'default', '{}', 'draining', now_ms() FROM generate_series(0, 8, 2) AS n";
        sqlx::raw_sql(draining).execute(&mut outside).await.unwrap();
        let mut place = Placement::default();
        place.needs.cpu_millis = 2_000;
        for id in ids(20) {
            store.enqueue(&new_run(&id), &place).await.unwrap();
        }
        let claimed = claim(
            &store,
            (0..10).map(|n| {
                let mut wish = worker(n);
                wish.left.cpu_millis = if n % 3 == 0 { 1_000 } else { 4_000 };
                wish
            }),
        )
        .await;
        let got: Vec<bool> = claimed.iter().map(Option::is_some).collect();
        let expected: Vec<bool> = (0..10).map(|n| n % 2 == 1 && n % 3 != 0).collect();
        assert_eq!(got, expected);
    })
    .await;
}

#[tokio::test]
async fn a_new_run_that_is_refused_takes_no_other_with_it() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        let twice: Vec<String> = ids(20)
            .into_iter()
            .flat_map(|id| [id.clone(), id])
            .collect();
        let queued = enqueue(&store, &twice).await;
        for (id, both) in twice.iter().step_by(2).zip(queued.chunks(2)) {
            let refused = Err(StoreError::IdTaken(id.clone()));
            assert!(
                both.contains(&Ok(())) && both.contains(&refused),
                "{both:?}"
            );
        }
        let line = store.line("default", 100).await.unwrap();
        assert_eq!(line.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_is_refused_takes_no_other_with_it() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        enqueue(&store, &ids(12)).await;
        let mut all = Vec::new();
        for (n, id) in ids(12).into_iter().enumerate() {
            let (lease, batch) = leased(&store, &id).await;
            let mut stale = (lease.clone(), batch.clone());
            match n % 3 {
                // Somebody whose lease is another's by now.
                0 => stale.0.token -= 1,
                // Somebody who has missed an event.
                1 => stale.1.events[0].seq = 7,
                // The same once more.
                _ => {}
            }
            all.extend([stale, (lease, batch)]);
        }
        let recorded = record(&store, all).await;
        for (n, (id, both)) in ids(12).into_iter().zip(recorded.chunks(2)).enumerate() {
            let written = both.iter().filter(|it| it.is_ok()).count();
            assert_eq!(written, 1, "{n}: {both:?}");
            if n % 3 == 0 {
                assert_eq!(both[0], Err(StoreError::LeaseLost(id.clone())));
            }
            let refused = both.iter().find_map(|it| it.clone().err());
            assert!(
                n % 3 == 0 || matches!(refused, Some(StoreError::OutOfOrder { .. })),
                "{n}: {both:?}"
            );
            assert_eq!(store.events(&id, 1).await.unwrap().len(), 1);
            assert_eq!(store.run(&id).await.unwrap().status, RunStatus::Succeeded);
        }
    })
    .await;
}

#[tokio::test]
async fn what_refers_to_a_table_compares_as_that_does() {
    on_postgres_at(async |address| {
        connect(&address).await;
        let mut outside = PgConnection::connect_with(&address.parse().unwrap())
            .await
            .unwrap();
        // Indexes of another collation do not serve joins: the table would be read whole for one row.
        let references = "
            SELECT conrelid::regclass::text || '.' || ours.attname FROM pg_constraint
                JOIN pg_attribute AS ours ON ours.attrelid = conrelid AND ours.attnum = ANY (conkey)
                JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = ANY (confkey)
            WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
                AND ours.attcollation <> theirs.attcollation";
        // These hold ids of runs, too, and outlive them.
        let outliving = "
            SELECT attrelid::regclass::text || '.' || attname FROM pg_attribute
            WHERE (attrelid, attname) IN (('causes'::regclass, 'caused_run'), ('ends'::regclass, 'run'))
                AND attcollation <> (SELECT attcollation FROM pg_attribute
                    WHERE attrelid = 'runs'::regclass AND attname = 'id')";
        for query in [references, outliving] {
            let others = sqlx::query_scalar::<_, String>(AssertSqlSafe(query));
            let others = others.fetch_all(&mut outside).await.unwrap();
            assert_eq!(others, Vec::<String>::new());
        }
    })
    .await;
}

#[tokio::test]
async fn renewals_that_are_due_together_share_a_statement_and_only_the_stale_are_refused() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        let mut outside = PgConnection::connect_with(&address.parse().unwrap())
            .await
            .unwrap();
        enqueue(&store, &ids(RUNS)).await;
        let mut leases = Vec::new();
        for id in ids(RUNS) {
            leases.push(leased(&store, &id).await.0);
        }
        let renew = |leases: &[Lease], time: Duration| {
            let store = store.clone();
            let renewed = leases.to_vec().into_iter().map(move |lease| {
                let store = store.clone();
                async move { store.renew(&lease, time).await }
            });
            side_by_side(renewed)
        };
        let renewed = renew(&leases, 2 * LONG).await;
        assert_eq!(renewed, vec![Ok(()); RUNS]);
        let commits = "SELECT count(DISTINCT xmin::text) FROM runs WHERE lease_until > now_ms() + 900000";
        let shared = number(&mut outside, commits).await;
        assert!((1..=RUNS / 4).contains(&shared), "{RUNS} renewals in {shared}");

        // Others have every fourth run by now.
        for id in ids(RUNS).iter().step_by(4) {
            store.lease_run(id, "other", LONG, true).await.unwrap();
        }
        let renewed = renew(&leases, 4 * LONG).await;
        for (n, (renewed, lease)) in renewed.into_iter().zip(&leases).enumerate() {
            let lost = Err(StoreError::LeaseLost(lease.run.clone()));
            assert_eq!(renewed, if n % 4 == 0 { lost } else { Ok(()) }, "{lease:?}");
        }
        let longest = "SELECT count(*) FROM runs WHERE lease_until > now_ms() + 1800000 AND lease_owner = 'w'";
        assert_eq!(number(&mut outside, longest).await, RUNS * 3 / 4);
        let others = "SELECT count(*) FROM runs WHERE lease_until > now_ms() + 900000 AND lease_owner = 'other'";
        assert_eq!(number(&mut outside, others).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_run_whose_row_is_held_up_keeps_no_other_from_its_renewal() {
    on_postgres_at(async |address| {
        let store = Arc::new(connect(&address).await);
        enqueue(&store, &ids(2)).await;
        let (held_up, free) = (leased(&store, "r0").await.0, leased(&store, "r1").await.0);
        let mut outside = PgConnection::connect_with(&address.parse().unwrap())
            .await
            .unwrap();
        let mut holding = outside.begin().await.unwrap();
        sqlx::query("SELECT number FROM runs WHERE id = 'r0' FOR UPDATE")
            .fetch_one(&mut *holding)
            .await
            .unwrap();
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.renew(&held_up, LONG).await }
        });
        for _ in 0..3 {
            store.renew(&free, LONG).await.unwrap();
        }
        assert!(!waiting.is_finished(), "somebody is at its row");
        holding.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
    })
    .await;
}
