//! Tells the troubles of Postgres apart that have a meaning of their own.

use std::future::Future;

use crate::ports::StoreError;

/// Postgres's code for a row that is there already.
const UNIQUE: &str = "23505";
/// How Postgres calls two transactions that wait for each other, one of which it ends.
const DEADLOCK: &str = "deadlock detected";
/// Tries of a transaction that was ended in favor of another.
const TRIES: usize = 5;

/// Says whether a row was refused because one like it is there.
pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some(UNIQUE)
}

/// Does it again when it was in another's way; nothing of the first try has remained.
pub(super) async fn again_on_deadlock<T, F: Future<Output = Result<T, StoreError>>>(
    mut work: impl FnMut() -> F,
) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        match work().await {
            Err(StoreError::Database(text)) if text.contains(DEADLOCK) => {}
            other => return other,
        }
    }
    work().await
}
