//! Connects to the database, making or updating its tables where needed.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use include_dir::include_dir;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgPool, Row,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{PostgresStore, gathering::Gathering, notify::Bell};
use crate::{adapters::sql::migrations::embedded, ports::StoreError};

/// All that has changed the tables, oldest first.
pub static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| embedded(&include_dir!("$CARGO_MANIFEST_DIR/migrations/postgres")));

/// Connections of one process: workers write in turns, and most of their time passes elsewhere.
const CONNECTIONS: u32 = 6;
/// Connections for what is written together, beside them.
const GATHERED: u32 = 6;
/// How statements that write together are planned. They find each row by its id; a plan that was made while the tables
/// were all but empty would read them whole, and be kept.
const BY_INDEX: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];
/// How the codes begin with which Postgres lets nobody in: a wrong user or password, or no such database.
const REFUSED: [&str; 2] = ["28", "3D"];
/// How long to wait for a connection before giving up.
const PATIENCE: Duration = Duration::from_secs(10);

impl PostgresStore {
    /// Connects to the database at a `postgres://` address.
    pub async fn connect(address: &SecretString) -> Result<PostgresStore, StoreError> {
        let options: PgConnectOptions = address.expose_secret().parse()?;
        let options = options.application_name("careen");
        let connected = pool_options(CONNECTIONS).connect_with(options.clone());
        let pool = connected.await.map_err(|error| no_way(&options, error))?;
        let id = match identify(&pool).await? {
            Some(id) => id,
            None => {
                // The migrator takes a lock of its own: of many processes only one does it.
                MIGRATIONS.run(&pool).await?;
                let id = identify(&pool).await?;
                id.ok_or_else(|| {
                    StoreError::Database("its migrations left no store id".to_owned())
                })?
            }
        };
        let bell = Bell::hang(pool.clone());
        let gathered = pool_options(GATHERED).connect_lazy_with(options.options(BY_INDEX));
        Ok(PostgresStore {
            id,
            pool,
            new_runs: Arc::new(Gathering::begin(gathered.clone())),
            records: Arc::new(Gathering::begin(gathered.clone())),
            wishes: Arc::new(Gathering::begin(gathered.clone())),
            renewals: Arc::new(Gathering::begin(gathered)),
            bell,
        })
    }
}

fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
}

/// Says what bars the way into which database, and never with which password.
fn no_way(options: &PgConnectOptions, error: sqlx::Error) -> StoreError {
    let database = options.get_database().unwrap_or(options.get_username());
    let place = format!("{}:{}/{database}", options.get_host(), options.get_port());
    let code = error.as_database_error().and_then(|error| error.code());
    let is_refused = code.is_some_and(|code| REFUSED.iter().any(|class| code.starts_with(class)));
    match (is_refused, error.as_database_error()) {
        (true, Some(said)) => StoreError::Refused {
            place,
            user: options.get_username().to_owned(),
            reason: said.message().to_owned(),
        },
        _ => match StoreError::from(error) {
            StoreError::Unreachable(why) => StoreError::Unreachable(format!("{place}: {why}")),
            other => other,
        },
    }
}

/// Reads the store's id when the database has all that this version needs; `None` when it is older or empty. A newer one
/// will do, unless what was changed since is said to break older versions.
async fn identify(pool: &PgPool) -> Result<Option<String>, StoreError> {
    let versions: Vec<i64> = MIGRATIONS.iter().map(|it| it.version).collect();
    let found = sqlx::query(
        "SELECT (SELECT id FROM store), count(*) FILTER (WHERE version = ANY($1)) AS own,
                count(*) FILTER (WHERE version <> ALL($1) AND description LIKE 'breaks %') AS breaking
         FROM _sqlx_migrations",
    )
    .bind(&versions)
    .fetch_one(pool)
    .await;
    let Ok(row) = found else {
        return Ok(None); // no such table: nothing was ever migrated
    };
    let (own, breaking): (i64, i64) = (row.try_get("own")?, row.try_get("breaking")?);
    if breaking > 0 {
        let options = pool.connect_options();
        let database = options.get_database().unwrap_or_default();
        let name = format!("{}/{database}", options.get_host());
        return Err(StoreError::TooNew(name));
    }
    match own == versions.len() as i64 {
        true => Ok(Some(row.try_get(0)?)),
        false => Ok(None),
    }
}
