//! Turns what the databases say into the port's errors; one place, because one library speaks for all of them.

use sqlx::migrate::MigrateError;

use crate::ports::StoreError;

/// SQLite's code for a lock that another process kept longer than the busy timeout.
const SQLITE_BUSY: &str = "5";
/// The codes for a full disk, of SQLite and of Postgres.
const DISK_FULL: [&str; 2] = ["13", "53100"];

/// How the codes begin of a Postgres that ends, starts, or takes no more connections just now, or not ours: it did before.
const AWAY: [&str; 4] = ["57P0", "08", "53300", "28"];

/// Says whether an error is about the way to the database.
fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Protocol, WorkerCrashed};
    matches!(
        error,
        Io(_) | PoolTimedOut | PoolClosed | Protocol(_) | WorkerCrashed
    )
}

/// Carries an error of ours through code that speaks the library's.
impl From<StoreError> for sqlx::Error {
    fn from(error: StoreError) -> Self {
        sqlx::Error::AnyDriverError(Box::new(error))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::AnyDriverError(inner) = &error
            && let Some(ours) = inner.downcast_ref::<StoreError>()
        {
            return ours.clone();
        }
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some(code) if DISK_FULL.contains(&code) => StoreError::DiskFull,
            Some(code) if AWAY.iter().any(|class| code.starts_with(class)) => {
                StoreError::Unreachable(error.to_string())
            }
            None if is_away(&error) => StoreError::Unreachable(error.to_string()),
            Some(SQLITE_BUSY) => StoreError::Database("another careen keeps it locked".to_owned()),
            _ => StoreError::Database(error.to_string()),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => StoreError::Database(other.to_string()),
        }
    }
}
