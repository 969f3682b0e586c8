//! Opens the database: makes it, brings it up to date, refuses one from the future.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{SqliteStore, values::failed};
use crate::ports::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
/// How long a writer waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(15);
/// Readers at once; each is opened when it is first needed.
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens a database file, made with its folder when it is not there; only its owner may read it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let is_new = !path.exists();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| unusable(path, &error))?;
        }
        if is_new {
            // Made here, not by SQLite, so that it is never readable by others.
            let made = std::fs::File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
            made.map_err(|error| unusable(path, &error))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // A lease or an answered webhook must survive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        let pool = |size: u32| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .min_connections(0)
        };
        let writer = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        bring_up_to_date(&writer, path).await?;
        let store_id = store_id(&writer).await?;
        Ok(Self {
            store_id,
            writer,
            reader: pool(READERS).connect_lazy_with(options),
        })
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Database(format!("{}: {error}", path.display()))
}

/// Runs the migrations that are missing. `user_version` holds how many have run, so that an up-to-date database is
/// known by one cheap look.
async fn bring_up_to_date(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let wanted = i64::try_from(MIGRATIONS.iter().count()).unwrap_or(i64::MAX);
    let present: i64 = sqlx::query_scalar("pragma user_version")
        .fetch_one(pool)
        .await
        .map_err(failed)?;
    if present > wanted {
        return Err(StoreError::TooNew(path.display().to_string()));
    }
    if present == wanted {
        return Ok(());
    }
    MIGRATIONS.run(pool).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::VersionMissing(_) => {
            StoreError::TooNew(path.display().to_string())
        }
        other => StoreError::Database(other.to_string()),
    })?;
    let set = format!("pragma user_version = {wanted}");
    sqlx::query(sqlx::AssertSqlSafe(set))
        .execute(pool)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Reads the random id of this database; the first to open it draws it.
async fn store_id(pool: &SqlitePool) -> Result<String, StoreError> {
    let read = "select store_id from store where only = 1";
    if let Some(id) = sqlx::query_scalar(read)
        .fetch_optional(pool)
        .await
        .map_err(failed)?
    {
        return Ok(id);
    }
    let drawn = uuid::Uuid::new_v4().simple().to_string();
    sqlx::query("insert into store (only, store_id) values (1, ?) on conflict do nothing")
        .bind(&drawn[..8])
        .execute(pool)
        .await
        .map_err(failed)?;
    sqlx::query_scalar(read)
        .fetch_one(pool)
        .await
        .map_err(failed)
}
