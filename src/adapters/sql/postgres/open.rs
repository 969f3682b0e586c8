//! Connects to the database, making or updating its tables where needed.

use std::{sync::LazyLock, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgPool, Row,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{PostgresStore, notify::Bell};
use crate::ports::StoreError;

/// What a newer careen has added is no hindrance: while versions change, two work side by side.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("migrations/postgres");
    migrations.set_ignore_missing(true);
    migrations
});

/// Connections of one process: workers write in turns, and most of their time passes elsewhere.
const CONNECTIONS: u32 = 12;
/// How long to wait for a connection before giving up.
const PATIENCE: Duration = Duration::from_secs(10);

impl PostgresStore {
    /// Connects to the database at a `postgres://` address.
    pub async fn connect(address: &SecretString) -> Result<PostgresStore, StoreError> {
        let options: PgConnectOptions = address.expose_secret().parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_with(options.application_name("careen"))
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
        Ok(PostgresStore { id, pool, bell })
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
