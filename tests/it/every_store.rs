//! All the stores there are, for claims that each of them must keep.

use std::future::Future;

use careen::{
    adapters::{memory::store::MemoryStore, postgres::PostgresStore, sqlite::SqliteStore},
    ports::{
        Bases, Capacity, Deliveries, Duties, FleetStore, NewRun, Queue, RunStore, Timers, Workers,
    },
};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Where `./dev setup postgres` puts its server.
const USUAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";

/// A store of runs with its queues, workers, duties, timers, deliveries, bases and fleet.
pub trait Store:
    RunStore + Queue + Workers + Duties + Timers + Deliveries + Bases + FleetStore
{
}

impl<T: RunStore + Queue + Workers + Duties + Timers + Deliveries + Bases + FleetStore> Store
    for T
{
}

/// Checks a claim on each store.
pub async fn on_every_store(claim: impl AsyncFn(&dyn Store)) {
    claim(&MemoryStore::new("memory")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen/careen.db");
    claim(&SqliteStore::open(&path).await.unwrap()).await;
    on_postgres(async |store| claim(&store).await).await;
}

/// Checks a claim on Postgres, in a schema of its own; skips it, said aloud, when there is none.
pub async fn on_postgres(claim: impl AsyncFn(PostgresStore)) {
    on_postgres_at(async |address| claim(connect(&address).await).await).await;
}

/// Hands on the address of an empty schema.
pub async fn on_postgres_at(claim: impl AsyncFn(String)) {
    let server = std::env::var("CAREEN_TEST_POSTGRES_URL");
    let server = server.unwrap_or_else(|_| USUAL_POSTGRES.to_owned());
    let mut connection = match PgConnection::connect(&server).await {
        Ok(connection) => connection,
        Err(error) => {
            let required = std::env::var("CAREEN_TEST_POSTGRES").is_ok_and(|it| it == "required");
            assert!(!required, "CAREEN_TEST_POSTGRES=required: {error}");
            println!("skipped: no Postgres at {server}");
            return;
        }
    };
    let schema = format!("careen_{}", uuid::Uuid::new_v4().simple());
    let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(make).execute(&mut connection).await.unwrap();
    claim(format!("{server}?options=-c%20search_path%3D{schema}")).await;
    let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(drop).execute(&mut connection).await.unwrap();
}

/// Opens a store.
pub fn connect(address: &str) -> impl Future<Output = PostgresStore> {
    let address = address.to_owned().into();
    async move { PostgresStore::connect(&address).await.unwrap() }
}

/// A moment, with nanoseconds that stores must keep.
pub fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 123_456_789).unwrap()
}

/// A run with all that is hard to store in its request.
pub fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        name: "acb.yaml".to_owned(),
        cause: "started by hand".to_owned(),
        trigger: None,
        request: json!({"file": "steps: []", "values": {"ü": [1, 2.5, null, {"a": "\u{0}\"'"}]}}),
        secrets: Vec::new(),
        rerun_of: None,
        created_at: time(0),
    }
}

/// More than any run of these tests demands.
pub fn ample() -> Capacity {
    Capacity {
        cpu_millis: 64_000,
        memory_bytes: 256 << 30,
        platforms: vec!["linux".to_owned(), "linux/amd64".to_owned()],
        labels: Default::default(),
    }
}
