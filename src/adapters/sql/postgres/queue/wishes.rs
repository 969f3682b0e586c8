//! Wishes for runs that come under no limit; those of one process that wait together are granted in one statement.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use sqlx::{PgPool, postgres::PgRow};

use super::{
    super::{gathering::Write, leases::milliseconds, read::runs::whole, rows::Columns},
    claims::{homes, lease_of, left},
    lanes::{lanes, nearest_of},
};
use crate::ports::{Claim, Claimed, StoreError};

/// A worker's wish, granted with others that differ in nothing but the worker.
#[derive(Debug)]
pub(in super::super) struct Wish(pub Claim);

#[async_trait]
impl Write for Wish {
    /// What the worker got; nothing where limits have a say, or where a run of another lane comes first.
    type Answer = Option<Claimed>;

    async fn write_all(pool: &PgPool, all: &[Wish]) -> sqlx::Result<Vec<Option<Claimed>>> {
        let granted = alike(all)
            .into_iter()
            .map(|group| async move { grant(pool, &group).await });
        let mut answers: Vec<_> = all.iter().map(|_| None).collect();
        for (at, claimed) in try_join_all(granted).await?.into_iter().flatten() {
            answers[at] = Some(claimed);
        }
        Ok(answers)
    }
}

/// A wish and where it stands among all.
type Placed<'a> = (usize, &'a Claim);

fn alike(all: &[Wish]) -> Vec<Vec<Placed<'_>>> {
    let mut groups: Vec<Vec<Placed<'_>>> = Vec::new();
    for (at, Wish(claim)) in all.iter().enumerate() {
        match groups.iter_mut().find(|group| is_alike(group[0].1, claim)) {
            Some(group) => group.push((at, claim)),
            None => groups.push(vec![(at, claim)]),
        }
    }
    groups
}

fn is_alike(one: &Claim, other: &Claim) -> bool {
    let of_the_same = Claim {
        worker: one.worker.clone(),
        ..other.clone()
    };
    *one == of_the_same
}

/// Gives what was taken as [`crate::ports::RunStore::run`] would.
macro_rules! as_claimed {
    () => {
        " SELECT taken.*, request, prepared, causes.* FROM taken JOIN documents ON run = id
            LEFT JOIN causes ON caused_run = id"
    };
}

/// Takes as many runs of the first lane as there are wishes, as long as no other lane's first run comes before them. A
/// worker that is to drain gets none.
const GRANT: &str = concat!(
    "WITH RECURSIVE wanting AS MATERIALIZED (
        SELECT name, nth, row_number() OVER (ORDER BY nth) AS turn
        FROM UNNEST($2::text[]) WITH ORDINALITY AS asked (name, nth)
        WHERE (SELECT state FROM workers WHERE workers.name = asked.name) IS DISTINCT FROM 'draining'),
     ",
    lanes!("EXISTS (SELECT 1 FROM wanting)"),
    ", locked AS (
        SELECT priority, number FROM runs WHERE pool = $1 AND queue_state = 'ready'
            AND needs = (SELECT lane FROM lanes LIMIT 1)
        ORDER BY priority DESC, number LIMIT (SELECT count(*) FROM wanting) FOR UPDATE SKIP LOCKED),
     given AS (
        SELECT number AS given_number, row_number() OVER (ORDER BY priority DESC, number) AS turn FROM locked
        WHERE NOT EXISTS (
            SELECT 1 FROM (SELECT priority, number FROM lanes OFFSET 1 LIMIT 1) AS next WHERE next.priority > locked.priority
                OR next.priority = locked.priority AND next.number < locked.number)),
     taken AS (UPDATE runs SET queue_state = NULL, lease_owner = wanting.name, lease_engine = $4, status = 'preparing',
            lease_token = lease_token + 1, lease_until = now_ms() + $5
     FROM given JOIN wanting USING (turn) WHERE runs.number = given_number
       AND NOT EXISTS (SELECT 1 FROM limits WHERE scope IN
            ('global', 'pool:' || pool, 'task:' || task, 'group:' || concurrency_group))
     RETURNING nth, runs.*)",
    as_claimed!(),
);

/// Takes the nearest run for a worker with homes of its own, if it comes under no limit.
const TAKE_NEAREST: &str = concat!(
    "WITH RECURSIVE ",
    lanes!("NOT EXISTS (SELECT 1 FROM workers WHERE name = $2 AND state = 'draining')"),
    ", first AS (SELECT number AS first_number FROM (",
    nearest_of!("(SELECT lane FROM lanes LIMIT 1)", "$6"),
    ") AS found),
     taken AS (UPDATE runs SET queue_state = NULL, lease_owner = $2, lease_engine = $4, status = 'preparing',
            lease_token = lease_token + 1, lease_until = now_ms() + $5
     FROM first WHERE number = first_number
       AND NOT EXISTS (SELECT 1 FROM limits WHERE scope IN
            ('global', 'pool:' || pool, 'task:' || task, 'group:' || concurrency_group))
     RETURNING runs.*)",
    as_claimed!(),
);

async fn grant(pool: &PgPool, group: &[Placed<'_>]) -> sqlx::Result<Vec<(usize, Claimed)>> {
    if group[0].1.homes.is_empty() {
        return grant_together(pool, group).await;
    }
    let mut granted = Vec::new();
    for (at, claim) in group {
        let row = sqlx::query(TAKE_NEAREST)
            .bind(&claim.pool)
            .bind(&claim.worker)
            .bind(left(claim))
            .bind(&claim.engine)
            .bind(milliseconds(claim.time))
            .bind(homes(claim))
            .fetch_optional(pool)
            .await?;
        if let Some(row) = row {
            granted.push((*at, claimed(&row, claim)?));
        }
    }
    Ok(granted)
}

async fn grant_together(
    pool: &PgPool,
    group: &[Placed<'_>],
) -> sqlx::Result<Vec<(usize, Claimed)>> {
    let claim = group[0].1;
    let workers: Vec<&str> = group.iter().map(|(_, it)| it.worker.as_str()).collect();
    let rows = sqlx::query(GRANT)
        .bind(&claim.pool)
        .bind(workers)
        .bind(left(claim))
        .bind(&claim.engine)
        .bind(milliseconds(claim.time))
        .fetch_all(pool)
        .await?;
    let granted = |row: &PgRow| {
        let nth: usize = row.count("nth")?;
        let (at, claim) = group[nth - 1];
        Ok((at, claimed(row, claim)?))
    };
    rows.iter().map(granted).collect()
}

fn claimed(row: &PgRow, claim: &Claim) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        lease: lease_of(row, claim)?,
        run: whole(row)?,
    })
}
