//! Single statements through the line, each a write of its own.

use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Either, Execute, Executor, SqlStr, Sqlite,
    sqlite::{SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo},
};

use super::line::Line;

type Step = Either<SqliteQueryResult, SqliteRow>;

impl<'c> Executor<'c> for &'_ Line {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let line = self.clone();
        let steps = async move {
            let mut write = line.begin().await?;
            let steps: Vec<Step> = write.fetch_many(query).try_collect().await?;
            write.commit().await?;
            Ok::<_, sqlx::Error>(stream::iter(steps.into_iter().map(Ok)))
        };
        stream::once(steps).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, sqlx::Result<Option<SqliteRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let line = self.clone();
        let row = async move {
            let mut write = line.begin().await?;
            let row = write.fetch_optional(query).await?;
            write.commit().await?;
            Ok(row)
        };
        row.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<SqliteStatement>>
    where
        'c: 'e,
    {
        let line = self.clone();
        async move { line.begin().await?.prepare_with(sql, parameters).await }.boxed()
    }
}
