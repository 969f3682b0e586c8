//! The summaries of steps and of their attempts.

use super::PostgresStore;
use super::read::runs::{attempt, step};
use crate::ports::{AttemptRow, StepRow, StoreError};

/// Reads the steps of a run's present generation, in file order.
pub(super) async fn of_run(store: &PostgresStore, run: &str) -> Result<Vec<StepRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM steps
         WHERE run = $1 AND generation = (SELECT generation FROM runs WHERE id = $1)
         ORDER BY step",
    )
    .bind(run)
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(step).collect()
}

/// Reads the attempts of a run's present generation, by step and number.
pub(super) async fn attempts_of_run(
    store: &PostgresStore,
    run: &str,
) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM attempts
         WHERE run = $1 AND generation = (SELECT generation FROM runs WHERE id = $1)
         ORDER BY step, attempt",
    )
    .bind(run)
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(attempt).collect()
}
