//! Causes of runs: each starts one.

use sqlx::{PgConnection, Row};

use crate::ports::{NewRun, StoreError};

/// Takes the cause of a run for it; gives the run that has it already, if one has.
pub(super) async fn take(
    connection: &mut PgConnection,
    run: &NewRun,
) -> Result<Option<String>, StoreError> {
    let Some(trigger) = &run.trigger else {
        return Ok(None);
    };
    let taken = sqlx::query(
        "INSERT INTO causes (cause_key, cause_kind, cause_details, caused_run, needs_approval)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (cause_key) DO NOTHING",
    )
    .bind(&trigger.key)
    .bind(trigger.kind.as_str())
    .bind(trigger.details.to_string())
    .bind(&run.id)
    .bind(i64::from(trigger.needs_approval))
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let holder = sqlx::query("SELECT caused_run FROM causes WHERE cause_key = $1")
        .bind(&trigger.key)
        .fetch_one(connection)
        .await?;
    Ok(Some(holder.try_get(0)?))
}
