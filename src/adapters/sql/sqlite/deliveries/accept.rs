//! Keeping what came: many deliveries with one write to the disk.

use std::collections::BTreeSet;

use sqlx::{QueryBuilder, Row};

use super::super::read::deliveries::rejection;
use super::super::{SqliteStore, rows::time_text};
use crate::ports::{NewDelivery, Rejection, StoreError};

/// How many refused deliveries are kept.
const REJECTIONS: i64 = 1000;

/// Keeps deliveries; of those with an id that is there already nothing changes.
pub(super) async fn accept(
    store: &SqliteStore,
    deliveries: &[NewDelivery],
) -> Result<Vec<bool>, StoreError> {
    // One id twice in a batch is one delivery.
    let mut seen = BTreeSet::new();
    let first: Vec<&NewDelivery> = deliveries.iter().filter(|it| seen.insert(&it.id)).collect();
    let mut query = QueryBuilder::new(
        "INSERT INTO deliveries (id, source, task, provider, event, headers, body, received_at) ",
    );
    query.push_values(&first, |mut row, it| {
        row.push_bind(&it.id)
            .push_bind(&it.source)
            .push_bind(&it.task)
            .push_bind(it.provider.as_str())
            .push_bind(&it.event)
            .push_bind(serde_json::to_string(&it.headers).unwrap_or_default())
            .push_bind(&it.body)
            .push_bind(time_text(it.at));
    });
    query.push(" ON CONFLICT (id) DO NOTHING RETURNING id");
    let mut transaction = store.begin().await?;
    let rows = query
        .build()
        .persistent(false)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let mut new = BTreeSet::new();
    for row in &rows {
        new.insert(row.try_get::<String, _>(0)?);
    }
    Ok(deliveries.iter().map(|it| new.remove(&it.id)).collect())
}

/// Keeps that a delivery was refused, and forgets the oldest.
pub(super) async fn reject(store: &SqliteStore, rejection: &Rejection) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let row = sqlx::query(
        "INSERT INTO rejections (at, sender, bytes, reason) VALUES (?1, ?2, ?3, ?4) RETURNING number",
    )
    .bind(time_text(rejection.at))
    .bind(&rejection.from)
    .bind(rejection.bytes.cast_signed())
    .bind(&rejection.reason)
    .fetch_one(&mut *transaction)
    .await?;
    let number: i64 = row.try_get(0)?;
    sqlx::query("DELETE FROM rejections WHERE number <= ?1")
        .bind(number - REJECTIONS)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Lists refused deliveries, newest first.
pub(super) async fn rejections(
    store: &SqliteStore,
    limit: u32,
) -> Result<Vec<Rejection>, StoreError> {
    let rows = sqlx::query("SELECT * FROM rejections ORDER BY number DESC LIMIT ?1")
        .bind(i64::from(limit))
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(rejection).collect()
}
