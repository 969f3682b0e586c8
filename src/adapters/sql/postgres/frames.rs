//! Log frames that every machine can read: small ones in the database, large ones in the object store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::{PgConnection, Row, postgres::PgRow};
use tokio::sync::watch;

use super::{PostgresStore, errors, rows::Columns};
use crate::ports::{
    Cursor, Frame, FrameIndex, FrameStore, LogKey, LogSummary, Objects, StoreError,
};

/// Frames of this size go into the object store; a busy log has few of them, a quiet one has none.
const LARGE: usize = 64 * 1024;

/// Log frames in a Postgres database and an object store.
pub struct PostgresFrames {
    store: PostgresStore,
    objects: Arc<dyn Objects>,
}

impl PostgresFrames {
    /// Keeps small frames in the store's database and large ones here.
    pub fn new(store: PostgresStore, objects: Arc<dyn Objects>) -> PostgresFrames {
        PostgresFrames { store, objects }
    }

    /// Puts a large frame where its row will say it is; without the row nobody sees it.
    async fn put_away(&self, key: &LogKey, frame: &Frame) -> Result<Option<Bytes>, StoreError> {
        if frame.data.len() < LARGE {
            return Ok(Some(frame.data.clone()));
        }
        let path = path(key, frame.first_line);
        self.objects.put_bytes(&path, frame.data.clone()).await?;
        Ok(None)
    }
}

#[async_trait]
impl FrameStore for PostgresFrames {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        // Before the transaction begins: it must not wait for a slow store.
        let mut kept_here = Vec::with_capacity(frames.len());
        for (key, frame) in &frames {
            kept_here.push(self.put_away(key, frame).await?);
        }
        let mut transaction = self.store.pool.begin().await?;
        for ((key, frame), data) in frames.iter().zip(kept_here) {
            insert(&mut transaction, key, frame, data).await?;
        }
        transaction.commit().await?;
        for (key, _) in &frames {
            self.store.bell.log_changed(&key.run);
        }
        Ok(())
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM log_tail
             WHERE run = $1 AND generation = $2 AND step = $3 AND attempt = $4
               AND first_line >= coalesce((SELECT max(first_line) FROM log_tail
                   WHERE run = $1 AND generation = $2 AND step = $3 AND attempt = $4
                     AND first_line <= $5), 0)
               AND first_line + lines > $5
             ORDER BY first_line LIMIT $6",
        )
        .bind(&key.run)
        .bind(i64::from(key.generation))
        .bind(i64::from(key.step))
        .bind(i64::from(key.attempt))
        .bind(i64::try_from(first_line).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.store.pool)
        .await?;
        rows.iter().map(index).collect()
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        let row = sqlx::query(
            "SELECT data FROM log_tail WHERE run = $1 AND generation = $2 AND step = $3
                AND attempt = $4 AND first_line = $5",
        )
        .bind(&key.run)
        .bind(i64::from(key.generation))
        .bind(i64::from(key.step))
        .bind(i64::from(key.attempt))
        .bind(frame.first_line.cast_signed())
        .fetch_optional(&self.store.pool)
        .await?;
        let row = row.ok_or_else(|| StoreError::Database("the frame is gone".to_owned()))?;
        if let Some(data) = row.try_get::<Option<Vec<u8>>, _>("data")? {
            return Ok(data.into());
        }
        let path = path(key, frame.first_line);
        let object = self.objects.get_bytes(&path).await?;
        object.ok_or_else(|| StoreError::Database(format!("the object {path} is gone")))
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM log_tail
             WHERE run = $1 AND generation = $2 AND step = $3 AND attempt = $4
             ORDER BY first_line DESC LIMIT 1",
        )
        .bind(&key.run)
        .bind(i64::from(key.generation))
        .bind(i64::from(key.step))
        .bind(i64::from(key.attempt))
        .fetch_optional(&self.store.pool)
        .await?;
        row.as_ref().map(index).transpose()
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        let rows = sqlx::query(
            "SELECT generation, step, attempt, min(first_at) AS first_at,
                    sum(lines)::bigint AS lines, sum(raw_bytes)::bigint AS raw_bytes
             FROM log_tail WHERE run = $1 GROUP BY generation, step, attempt
             ORDER BY generation, step, attempt",
        )
        .bind(run)
        .fetch_all(&self.store.pool)
        .await?;
        rows.iter().map(|row| summary(run, row)).collect()
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        let large = sqlx::query(
            "SELECT generation, step, attempt, first_line FROM log_tail
             WHERE run = $1 AND data IS NULL",
        )
        .bind(run)
        .fetch_all(&self.store.pool)
        .await?;
        // The rows go last: as long as they are there, what was cut off here is found again.
        for row in &large {
            let path = path(&key(run, row)?, row.count("first_line")?);
            self.objects.delete(&path).await?;
        }
        sqlx::query("DELETE FROM log_tail WHERE run = $1")
            .bind(run)
            .execute(&self.store.pool)
            .await?;
        Ok(())
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        self.store.bell.log(run)
    }
}

async fn insert(
    connection: &mut PgConnection,
    key: &LogKey,
    frame: &Frame,
    data: Option<Bytes>,
) -> Result<(), StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO log_tail (run, generation, step, attempt, first_line, lines, first_at, raw_bytes,
            length, stdout_at, stdout_bytes, stderr_at, stderr_bytes, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(&key.run)
    .bind(i64::from(key.generation))
    .bind(i64::from(key.step))
    .bind(i64::from(key.attempt))
    .bind(frame.first_line.cast_signed())
    .bind(i64::from(frame.lines))
    .bind(frame.first_at_nanos)
    .bind(i64::from(frame.raw_bytes))
    .bind(frame.data.len() as i64)
    .bind(frame.stdout.at_nanos)
    .bind(frame.stdout.bytes.cast_signed())
    .bind(frame.stderr.at_nanos)
    .bind(frame.stderr.bytes.cast_signed())
    .bind(data.as_deref())
    .execute(connection)
    .await;
    match inserted {
        // Another worker goes on with this log.
        Err(error) if errors::is_taken(&error) => Err(StoreError::LeaseLost(key.run.clone())),
        other => Ok(other.map(drop)?),
    }
}

fn path(key: &LogKey, first_line: u64) -> String {
    let LogKey {
        run,
        generation,
        step,
        attempt,
    } = key;
    format!("logs/{run}/{generation}/{step}/{attempt}/{first_line}")
}

fn key(run: &str, row: &PgRow) -> Result<LogKey, StoreError> {
    Ok(LogKey {
        run: run.to_owned(),
        generation: row.count("generation")?,
        step: row.count("step")?,
        attempt: row.count("attempt")?,
    })
}

fn index(row: &PgRow) -> Result<FrameIndex, StoreError> {
    let cursor = |at: &str, bytes: &str| {
        Ok::<_, StoreError>(Cursor {
            at_nanos: row.count(at)?,
            bytes: row.count(bytes)?,
        })
    };
    Ok(FrameIndex {
        first_line: row.count("first_line")?,
        lines: row.count("lines")?,
        first_at_nanos: row.count("first_at")?,
        raw_bytes: row.count("raw_bytes")?,
        offset: 0, // each frame stands by itself
        length: row.count("length")?,
        stdout: cursor("stdout_at", "stdout_bytes")?,
        stderr: cursor("stderr_at", "stderr_bytes")?,
    })
}

fn summary(run: &str, row: &PgRow) -> Result<LogSummary, StoreError> {
    Ok(LogSummary {
        key: key(run, row)?,
        first_at_nanos: row.count("first_at")?,
        lines: row.count("lines")?,
        raw_bytes: row.count("raw_bytes")?,
    })
}
