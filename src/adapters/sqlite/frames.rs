//! The `frames` table: where the lines of a log stand in its file.

use async_trait::async_trait;
use sqlx::{FromRow, QueryBuilder, Sqlite};

use super::{
    SqliteStore,
    values::{count, failed},
};
use crate::ports::{Cursor, FrameIndex, FrameIndexStore, LogKey, StoreError};

/// Rows of one statement: SQLite takes 32,766 variables, and each row has thirteen.
const ROWS: usize = 2000;

#[derive(FromRow)]
struct Row {
    first_line: i64,
    lines: i64,
    raw_bytes: i64,
    offset: i64,
    length: i64,
    stdout_at: i64,
    stdout_lines: i64,
    stderr_at: i64,
    stderr_lines: i64,
}

impl TryFrom<Row> for FrameIndex {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            first_line: row.first_line.unsigned_abs(),
            lines: count(row.lines)?,
            raw_bytes: count(row.raw_bytes)?,
            offset: row.offset.unsigned_abs(),
            length: count(row.length)?,
            stdout: Cursor {
                at_nanos: row.stdout_at,
                lines: count(row.stdout_lines)?,
            },
            stderr: Cursor {
                at_nanos: row.stderr_at,
                lines: count(row.stderr_lines)?,
            },
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[async_trait]
impl FrameIndexStore for SqliteStore {
    async fn insert(&self, frames: &[(LogKey, FrameIndex)]) -> Result<(), StoreError> {
        for chunk in frames.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "insert into frames (run, generation, step, attempt, first_line, lines, raw_bytes, offset, length, \
                 stdout_at, stdout_lines, stderr_at, stderr_lines) ",
            );
            query.push_values(chunk, |mut row, (key, frame)| {
                row.push_bind(&key.run)
                    .push_bind(key.generation)
                    .push_bind(key.step)
                    .push_bind(key.attempt)
                    .push_bind(signed(frame.first_line))
                    .push_bind(frame.lines)
                    .push_bind(frame.raw_bytes)
                    .push_bind(signed(frame.offset))
                    .push_bind(frame.length)
                    .push_bind(frame.stdout.at_nanos)
                    .push_bind(frame.stdout.lines)
                    .push_bind(frame.stderr.at_nanos)
                    .push_bind(frame.stderr.lines);
            });
            let query = query.build().persistent(chunk.len() == 1);
            query.execute(&self.writer).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn range(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select first_line, lines, raw_bytes, offset, length, stdout_at, stdout_lines, stderr_at, stderr_lines \
             from frames where run = ?1 and generation = ?2 and step = ?3 and attempt = ?4 and first_line >= coalesce( \
             (select max(first_line) from frames where run = ?1 and generation = ?2 and step = ?3 and attempt = ?4 \
             and first_line <= ?5), 0) order by first_line limit ?6",
        )
        .bind(&key.run)
        .bind(key.generation)
        .bind(key.step)
        .bind(key.attempt)
        .bind(signed(first_line))
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        let frames: Vec<FrameIndex> = rows
            .into_iter()
            .map(FrameIndex::try_from)
            .collect::<Result<_, _>>()?;
        // The last frame at or before the line may end before it.
        Ok(frames
            .into_iter()
            .filter(|frame| frame.first_line + u64::from(frame.lines) > first_line)
            .collect())
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "select first_line, lines, raw_bytes, offset, length, stdout_at, stdout_lines, stderr_at, stderr_lines \
             from frames where run = ? and generation = ? and step = ? and attempt = ? \
             order by first_line desc limit 1",
        )
        .bind(&key.run)
        .bind(key.generation)
        .bind(key.step)
        .bind(key.attempt)
        .fetch_optional(&self.reader)
        .await
        .map_err(failed)?;
        row.map(FrameIndex::try_from).transpose()
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogKey>, StoreError> {
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "select distinct generation, step, attempt from frames where run = ? order by generation, step, attempt",
        )
        .bind(run)
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        rows.into_iter()
            .map(|(generation, step, attempt)| {
                Ok(LogKey {
                    run: run.to_owned(),
                    generation: count(generation)?,
                    step: count(step)?,
                    attempt: count(attempt)?,
                })
            })
            .collect()
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        sqlx::query("delete from frames where run = ?")
            .bind(run)
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }
}
