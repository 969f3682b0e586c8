//! Reading deliveries, and taking those that are to be decided.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Postgres, QueryBuilder};

use super::super::read::deliveries::{delivery, whole};
use super::{
    super::{PostgresStore, leases::milliseconds, rows::Columns},
    NOW,
};
use crate::ports::{Delivery, DeliveryFilter, StoreError};

/// Takes the oldest deliveries that nobody decides just now.
pub(super) async fn take_undecided(
    store: &PostgresStore,
    limit: u32,
    hold: Duration,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!(
        "UPDATE deliveries SET claimed_until = {NOW} + $2 WHERE number IN (
            SELECT number FROM deliveries WHERE decision IS NULL AND claimed_until <= {NOW}
            ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING *"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(i64::from(limit))
        .bind(milliseconds(hold))
        .fetch_all(&store.pool)
        .await?;
    let taken: Result<Vec<Delivery>, StoreError> = rows.iter().map(whole).collect();
    let mut taken = taken?;
    taken.sort_by_key(|it| it.number);
    Ok(taken)
}

/// Lists deliveries, newest first, without bodies.
pub(super) async fn list(
    store: &PostgresStore,
    filter: &DeliveryFilter,
) -> Result<Vec<Delivery>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT number, id, source, task, provider, event, headers, received_at, decision, replays
         FROM deliveries",
    );
    if let Some(before) = filter.before {
        query
            .push(" WHERE number < ")
            .push_bind(before.cast_signed());
    }
    query
        .push(" ORDER BY number DESC LIMIT ")
        .push_bind(i64::from(filter.limit));
    let rows = query.build().fetch_all(&store.pool).await?;
    rows.iter().map(|row| delivery(row, Vec::new())).collect()
}

/// Reads one delivery.
pub(super) async fn one(
    store: &PostgresStore,
    number: u64,
) -> Result<Option<Delivery>, StoreError> {
    let row = sqlx::query("SELECT * FROM deliveries WHERE number = $1")
        .bind(number.cast_signed())
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(whole).transpose()
}

/// Counts one more replay.
pub(super) async fn count_replay(store: &PostgresStore, number: u64) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "UPDATE deliveries SET replays = replays + 1 WHERE number = $1 RETURNING replays",
    )
    .bind(number.cast_signed())
    .fetch_one(&store.pool)
    .await?;
    row.count("replays")
}
