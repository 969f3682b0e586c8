//! Tells the troubles of SQLite apart that have a meaning of their own.

/// SQLite's code for a lock that another process kept longer than the busy timeout.
const BUSY: i32 = 5;
/// SQLite's code for a broken constraint; the extended code adds the kind in the higher bits.
const CONSTRAINT: i32 = 19;

/// Says whether a row was refused because one like it, or none that it needs, is there.
pub(super) fn is_constraint(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(CONSTRAINT)
}

/// Says whether another process holds a lock.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(BUSY)
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
