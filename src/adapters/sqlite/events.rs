//! The `events` table: what a run is.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::values::{failed, json, micros, time};
use crate::ports::{Lease, RecordedEvent, StoreError};

/// Rows of one statement: SQLite takes 32,766 variables, and each row has six.
const ROWS: usize = 5000;

/// Adds events behind the last one; a gap or a repeated number is refused.
pub(super) async fn append(
    tx: &mut SqliteConnection,
    lease: &Lease,
    events: &[RecordedEvent],
) -> Result<(), StoreError> {
    let Some(first) = events.first() else {
        return Ok(());
    };
    let is_contiguous = events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq);
    if !is_contiguous {
        return Err(StoreError::Database(
            "events are not numbered in order".to_owned(),
        ));
    }
    let mut before = first.seq - 1;
    for chunk in events.chunks(ROWS) {
        // The previous event must be there: the insert takes nothing when it is not.
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into events (run, generation, seq, at, kind, body) select * from (",
        );
        query.push_values(chunk, |mut row, event| {
            row.push_bind(&lease.run)
                .push_bind(lease.generation)
                .push_bind(number(event.seq))
                .push_bind(micros(event.at))
                .push_bind(&event.kind)
                .push_bind(event.body.to_string());
        });
        query
            .push(") where ")
            .push_bind(number(before))
            .push(" = (select coalesce(max(seq), 0) from events where run = ")
            .push_bind(&lease.run)
            .push(" and generation = ")
            .push_bind(lease.generation)
            .push(")");
        let query = query.build().persistent(chunk.len() == 1);
        let done = query.execute(&mut *tx).await.map_err(failed)?;
        if done.rows_affected() != chunk.len() as u64 {
            return Err(StoreError::Database(format!(
                "event {} does not follow the last one recorded",
                before + 1
            )));
        }
        before += chunk.len() as u64;
    }
    Ok(())
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Reads the events of a generation, in order.
pub(super) async fn read(
    pool: &SqlitePool,
    run: &str,
    generation: u32,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
        "select seq, at, kind, body from events where run = ? and generation = ? order by seq",
    )
    .bind(run)
    .bind(generation)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|(seq, at, kind, body)| {
            Ok(RecordedEvent {
                seq: seq.unsigned_abs(),
                at: time(at)?,
                kind,
                body: json(&body)?,
            })
        })
        .collect()
}
