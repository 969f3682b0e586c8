//! Where references stand, and where they have stood.

use sqlx::{Row, SqliteConnection};

use super::super::{SqliteStore, rows::Columns};
use crate::{
    ports::{StoreError, Verdict},
    triggers::{Move, Position, Standing, standing},
};

/// Moves a reference if that is news, and says whether it is.
pub(super) async fn move_to(
    connection: &mut SqliteConnection,
    verdict: &Verdict,
    to: &Move,
) -> Result<Standing, StoreError> {
    let position = position(&mut *connection, &verdict.scope, to).await?;
    let found = standing(to, &position);
    let Standing::New { visit } = found else {
        return Ok(found);
    };
    sqlx::query(
        "UPDATE source_heads SET head = ?4, at = ?5, moved_at = ?6
         WHERE scope = ?1 AND repository = ?2 AND reference = ?3",
    )
    .bind(&verdict.scope)
    .bind(&to.repository)
    .bind(&to.reference)
    .bind(&to.commit)
    .bind(to.at)
    .bind(verdict.at.timestamp_millis())
    .execute(&mut *connection)
    .await?;
    for (commit, visits) in [(&to.before, 0), (&to.commit, i64::from(visit))] {
        if let Some(commit) = commit {
            note(&mut *connection, &verdict.scope, to, (commit, visits)).await?;
        }
    }
    Ok(found)
}

/// Says whether a reference was ever heard of.
pub(super) async fn knows(
    store: &SqliteStore,
    scope: &str,
    repository: &str,
    reference: &str,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT 1 FROM source_heads WHERE scope = ?1 AND repository = ?2 AND reference = ?3",
    )
    .bind(scope)
    .bind(repository)
    .bind(reference)
    .fetch_optional(&store.readers)
    .await?;
    Ok(row.is_some())
}

/// Reads where a reference stands; its row is made, and locked, if there is none.
async fn position(
    connection: &mut SqliteConnection,
    scope: &str,
    to: &Move,
) -> Result<Position, StoreError> {
    let row = sqlx::query(
        "INSERT INTO source_heads (scope, repository, reference, moved_at) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (scope, repository, reference) DO UPDATE SET moved_at = source_heads.moved_at
         RETURNING head, at, moved_at",
    )
    .bind(scope)
    .bind(&to.repository)
    .bind(&to.reference)
    .fetch_one(&mut *connection)
    .await?;
    let commit = to.commit.as_deref();
    let visits = visits(&mut *connection, scope, to, commit).await?;
    let before = self::visits(connection, scope, to, to.before.as_deref()).await?;
    Ok(Position {
        head: row.try_get("head")?,
        at: row.try_get("at")?,
        moved_at: row.try_get("moved_at")?,
        visits,
        knows_before: before.is_some(),
    })
}

async fn visits(
    connection: &mut SqliteConnection,
    scope: &str,
    to: &Move,
    commit: Option<&str>,
) -> Result<Option<u32>, StoreError> {
    let row = sqlx::query(
        "SELECT visits FROM source_commits
         WHERE scope = ?1 AND repository = ?2 AND reference = ?3 AND head = ?4",
    )
    .bind(scope)
    .bind(&to.repository)
    .bind(&to.reference)
    .bind(commit)
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.count("visits")).transpose()
}

async fn note(
    connection: &mut SqliteConnection,
    scope: &str,
    to: &Move,
    (commit, visits): (&str, i64),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO source_commits (scope, repository, reference, head, visits)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope, repository, reference, head)
         DO UPDATE SET visits = CASE WHEN excluded.visits > source_commits.visits
            THEN excluded.visits ELSE source_commits.visits END",
    )
    .bind(scope)
    .bind(&to.repository)
    .bind(&to.reference)
    .bind(commit)
    .bind(visits)
    .execute(connection)
    .await?;
    Ok(())
}
