//! One transaction for a decision: the heads move, the runs are queued, the reasons are written.

use sqlx::{Row, SqliteConnection};

use super::{
    super::{SqliteStore, queue::enqueue_in},
    heads,
};
use crate::{
    ports::{Decision, Enqueued, Ruled, Ruling, Starting, StoreError, TaskDecision, Verdict},
    triggers::Standing,
};

/// Decides a fact once; whoever comes later is told what was decided.
pub(super) async fn decide(store: &SqliteStore, verdict: &Verdict) -> Result<Decision, StoreError> {
    let mut transaction = store.begin().await?;
    if let Some(decided) = earlier(&mut transaction, verdict).await? {
        return Ok(decided);
    }
    let mut ruled = Vec::new();
    for ruling in &verdict.rulings {
        ruled.push(rule(&mut transaction, verdict, ruling).await?);
    }
    let decision = verdict.decision(ruled);
    if let Some(delivery) = verdict.delivery {
        sqlx::query("UPDATE deliveries SET decision = ?2 WHERE number = ?1")
            .bind(delivery.cast_signed())
            .bind(serde_json::to_string(&decision).unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(decision)
}

/// What was decided before, if this is no replay.
async fn earlier(
    connection: &mut SqliteConnection,
    verdict: &Verdict,
) -> Result<Option<Decision>, StoreError> {
    let Some(delivery) = verdict.delivery.filter(|_| verdict.replay == 0) else {
        return Ok(None);
    };
    let row = sqlx::query("SELECT decision FROM deliveries WHERE number = ?1")
        .bind(delivery.cast_signed())
        .fetch_one(connection)
        .await?;
    let text: Option<String> = row.try_get(0)?;
    let decision = text.map(|text| serde_json::from_str(&text)).transpose();
    decision.map_err(|error| StoreError::Database(error.to_string()))
}

/// Moves a reference and starts what its ruling says, unless it is no news.
async fn rule(
    connection: &mut SqliteConnection,
    verdict: &Verdict,
    ruling: &Ruling,
) -> Result<Ruled, StoreError> {
    let standing = match &ruling.to {
        Some(to) if verdict.replay == 0 => heads::move_to(&mut *connection, verdict, to).await?,
        _ => Standing::New { visit: 0 },
    };
    let visit = match standing {
        Standing::New { visit } => visit,
        Standing::Seen => return Ok(ruling.nothing("the reference stands at this commit already")),
        Standing::Late => return Ok(ruling.nothing("the reference has moved on since")),
    };
    let mut started = Vec::new();
    for starting in &ruling.starts {
        started.push(start_one(&mut *connection, verdict, (starting, visit)).await?);
    }
    Ok(ruling.ruled(started, verdict.replay))
}

async fn start_one(
    connection: &mut SqliteConnection,
    verdict: &Verdict,
    (starting, visit): (&Starting, u32),
) -> Result<TaskDecision, StoreError> {
    let mut run = starting.run.clone();
    if let (Some(trigger), Some(key)) = (&mut run.trigger, verdict.key(starting, visit)) {
        trigger.key = key;
    }
    let enqueued = enqueue_in(&mut *connection, &run, &starting.place).await?;
    if let (Some(target), Enqueued::Waiting { .. }) = (&starting.report, &enqueued) {
        sqlx::query("INSERT INTO reports (run, target) VALUES (?1, ?2)")
            .bind(&run.id)
            .bind(target.to_string())
            .execute(connection)
            .await?;
    }
    Ok(starting.decision(&enqueued))
}
