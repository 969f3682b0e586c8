//! Connects to the database, making or updating its tables where needed.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgPool, Row,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{PostgresStore, gathering::Gathering, notify::Bell};
use crate::ports::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

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
/// How long to wait for a connection before giving up.
const PATIENCE: Duration = Duration::from_secs(10);

impl PostgresStore {
    /// Connects to the database at a `postgres://` address.
    pub async fn connect(address: &SecretString) -> Result<PostgresStore, StoreError> {
        let options: PgConnectOptions = address.expose_secret().parse()?;
        let options = options.application_name("careen");
        let pool = pool_options(CONNECTIONS)
            .connect_with(options.clone())
            .await?;
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
            wishes: Arc::new(Gathering::begin(gathered)),
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

/// Reads the store's id when the database is of this version; `None` when it is older or empty.
async fn identify(pool: &PgPool) -> Result<Option<String>, StoreError> {
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
    let found =
        sqlx::query("SELECT max(version), (SELECT id FROM store), count(*) FROM _sqlx_migrations")
            .fetch_one(pool)
            .await;
    let Ok(row) = found else {
        return Ok(None); // no such table: nothing was ever migrated
    };
    let version: Option<i64> = row.try_get(0)?;
    let applied: i64 = row.try_get(2)?;
    let is_whole = applied >= MIGRATIONS.iter().count() as i64;
    match version.cmp(&newest) {
        std::cmp::Ordering::Less => Ok(None),
        // One that is older than the newest may have come later.
        std::cmp::Ordering::Equal if !is_whole => Ok(None),
        std::cmp::Ordering::Equal => Ok(Some(row.try_get(1)?)),
        std::cmp::Ordering::Greater => {
            let options = pool.connect_options();
            let database = options.get_database().unwrap_or_default();
            Err(StoreError::TooNew(format!(
                "{}/{database}",
                options.get_host()
            )))
        }
    }
}
