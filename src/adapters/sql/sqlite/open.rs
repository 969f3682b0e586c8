//! Opens the database file, making or updating it where needed.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use include_dir::include_dir;
use sqlx::{
    Connection, Row, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{SqliteStore, errors, line::Line, reserve::Reserve};
use crate::{adapters::sql::migrations::embedded, ports::StoreError};

/// All that has changed the tables, oldest first.
pub static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| embedded(&include_dir!("$CARGO_MANIFEST_DIR/migrations/sqlite")));

/// How long a writer waits for another process; ours keep the lock for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// After how many pages the log of writes is folded into the database. A command that finds no other careen at work
/// reads the whole log before anything else, and with SQLite's own 1,000 pages that takes 5 ms.
const LOG_PAGES: &str = "250";

impl SqliteStore {
    /// Opens the database at `path`, making it, readable by its owner alone, where there is none.
    pub async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        ensure_private_file(path).map_err(|error| unusable(path, &error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits when the power fails, and answers are given after a commit.
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", LOG_PAGES)
            .busy_timeout(BUSY_TIMEOUT);
        let mut writer = connect(&options).await?;
        let id = match identify(&mut writer, path).await? {
            Some(id) => id,
            None => update(&mut writer, path).await?,
        };
        let reader = options.read_only(true);
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(reader);
        Ok(SqliteStore {
            id,
            writer: Line::new(writer),
            readers,
            reserve: Arc::new(Reserve::beside(path)),
            wakes: Arc::default(),
        })
    }
}

fn ensure_private_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull => StoreError::DiskFull,
        _ => StoreError::Database(format!("{} cannot be used: {error}", path.display())),
    }
}

/// Connects; the switch of a new file to WAL does not wait for other processes as everything else does, so it is
/// tried again until the busy timeout.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let begun = Instant::now();
    loop {
        match SqliteConnection::connect_with(options).await {
            Err(error) if errors::is_busy(&error) && begun.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other => return Ok(other?),
        }
    }
}

/// Reads the store's id when the database has all that this version needs; `None` when it is older or empty. A newer one
/// will do, unless what was changed since is said to break older versions.
async fn identify(
    writer: &mut SqliteConnection,
    path: &Path,
) -> Result<Option<String>, StoreError> {
    let versions: Vec<i64> = MIGRATIONS.iter().map(|it| it.version).collect();
    let found = sqlx::query(
        "WITH own AS (SELECT value FROM json_each(?1))
         SELECT (SELECT id FROM store), count(*) FILTER (WHERE version IN own) AS own,
                count(*) FILTER (WHERE version NOT IN own AND description LIKE 'breaks %') AS breaking
         FROM _sqlx_migrations",
    )
    .bind(serde_json::json!(versions).to_string())
    .fetch_one(writer)
    .await;
    let Ok(row) = found else {
        return Ok(None); // no such table: nothing was ever migrated
    };
    let (own, breaking): (i64, i64) = (row.try_get("own")?, row.try_get("breaking")?);
    if breaking > 0 {
        return Err(StoreError::TooNew(path.display().to_string()));
    }
    match own == versions.len() as i64 {
        true => Ok(Some(row.try_get(0)?)),
        false => Ok(None),
    }
}

/// Applies what is missing in one transaction that holds the write lock, so that of many processes only one does it.
async fn update(writer: &mut SqliteConnection, path: &Path) -> Result<String, StoreError> {
    migrate(writer).await?;
    let id = identify(writer, path).await?;
    id.ok_or_else(|| StoreError::Database("its migrations left no store id".to_owned()))
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS
        .run_direct(None, &mut *transaction, false)
        .await?;
    Ok(transaction.commit().await?)
}
