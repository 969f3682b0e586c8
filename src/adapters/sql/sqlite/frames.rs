//! Where the frames of logs stand in their files.

use async_trait::async_trait;
use sqlx::{QueryBuilder, sqlite::SqliteRow};

use super::{SqliteStore, rows::Columns};
use crate::ports::{Cursor, FrameIndex, FrameIndexStore, LogKey, LogSummary, StoreError};

/// Rows in one statement: 14 columns each, under SQLite's limit of 32,766 variables.
const ROWS_AT_ONCE: usize = 2_000;

#[async_trait]
impl FrameIndexStore for SqliteStore {
    async fn insert_frames(&self, frames: &[(LogKey, FrameIndex)]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for some in frames.chunks(ROWS_AT_ONCE) {
            let mut query = insertion(some);
            let query = query.build().persistent(false);
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn frames(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        // The frame that holds the line is the last that begins at or before it: one step down the primary key.
        let rows = sqlx::query(
            "SELECT * FROM frames
             WHERE run = ?1 AND generation = ?2 AND step = ?3 AND attempt = ?4
               AND first_line >= coalesce((SELECT max(first_line) FROM frames
                   WHERE run = ?1 AND generation = ?2 AND step = ?3 AND attempt = ?4
                     AND first_line <= ?5), 0)
               AND first_line + lines > ?5
             ORDER BY first_line LIMIT ?6",
        )
        .bind(&key.run)
        .bind(key.generation)
        .bind(key.step)
        .bind(key.attempt)
        .bind(i64::try_from(first_line).unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(frame).collect()
    }

    async fn last_frame(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM frames
             WHERE run = ?1 AND generation = ?2 AND step = ?3 AND attempt = ?4
             ORDER BY first_line DESC LIMIT 1",
        )
        .bind(&key.run)
        .bind(key.generation)
        .bind(key.step)
        .bind(key.attempt)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(frame).transpose()
    }

    async fn run_logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        // With min(), SQLite takes the bare columns from the row that has the minimum: here the first frame.
        let rows = sqlx::query(
            "SELECT generation, step, attempt, min(first_line), first_at, sum(lines) AS lines,
                    sum(raw_bytes) AS raw_bytes
             FROM frames WHERE run = ?1 GROUP BY generation, step, attempt
             ORDER BY generation, step, attempt",
        )
        .bind(run)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| log(run, row)).collect()
    }

    async fn remove_frames(&self, run: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM frames WHERE run = ?1")
            .bind(run)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn insertion(frames: &[(LogKey, FrameIndex)]) -> QueryBuilder<sqlx::Sqlite> {
    let mut query = QueryBuilder::new(
        "INSERT INTO frames (run, generation, step, attempt, first_line, lines, first_at, raw_bytes,
            offset, length, stdout_at, stdout_bytes, stderr_at, stderr_bytes) ",
    );
    query.push_values(frames, |mut row, (key, frame)| {
        row.push_bind(&key.run)
            .push_bind(key.generation)
            .push_bind(key.step)
            .push_bind(key.attempt)
            .push_bind(frame.first_line.cast_signed())
            .push_bind(frame.lines)
            .push_bind(frame.first_at_nanos)
            .push_bind(frame.raw_bytes)
            .push_bind(frame.offset.cast_signed())
            .push_bind(frame.length)
            .push_bind(frame.stdout.at_nanos)
            .push_bind(frame.stdout.bytes.cast_signed())
            .push_bind(frame.stderr.at_nanos)
            .push_bind(frame.stderr.bytes.cast_signed());
    });
    query
}

fn frame(row: &SqliteRow) -> Result<FrameIndex, StoreError> {
    Ok(FrameIndex {
        first_line: row.count("first_line")?,
        lines: row.count("lines")?,
        first_at_nanos: row.count("first_at")?,
        raw_bytes: row.count("raw_bytes")?,
        offset: row.count("offset")?,
        length: row.count("length")?,
        stdout: cursor(row, "stdout_at", "stdout_bytes")?,
        stderr: cursor(row, "stderr_at", "stderr_bytes")?,
    })
}

fn cursor(row: &SqliteRow, at: &str, bytes: &str) -> Result<Cursor, StoreError> {
    Ok(Cursor {
        at_nanos: row.count(at)?,
        bytes: row.count(bytes)?,
    })
}

fn log(run: &str, row: &SqliteRow) -> Result<LogSummary, StoreError> {
    Ok(LogSummary {
        key: LogKey {
            run: run.to_owned(),
            generation: row.count("generation")?,
            step: row.count("step")?,
            attempt: row.count("attempt")?,
        },
        first_at_nanos: row.count("first_at")?,
        lines: row.count("lines")?,
        raw_bytes: row.count("raw_bytes")?,
    })
}
