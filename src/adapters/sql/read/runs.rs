//! Runs, their steps and attempts, out of their rows.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{super::rows::Columns, workers::needs};
use crate::ports::{
    AttemptRow, EndedRun, Group, Lease, Placement, RunRow, StepRow, StoreError, Trigger,
};

/// Reads a run without what was asked and prepared.
pub(in crate::adapters::sql) fn summary(row: &impl Columns) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        id: row.value("id")?,
        name: row.value("name")?,
        cause: row.value("cause")?,
        trigger: trigger(row)?,
        status: row.parsed("status")?,
        reason: row.value("reason")?,
        request: Value::Null,
        prepared: Value::Null,
        generation: row.count("generation")?,
        rerun_of: row.value("rerun_of")?,
        placement: placement(row)?,
        owner: row.value("lease_owner")?,
        held_until: held_until(row)?,
        cancel_reason: row.value("cancel_reason")?,
        created_at: row.parsed("created_at")?,
        started_at: row.time("started_at")?,
        ended_at: row.time("ended_at")?,
        steps: row.count("steps")?,
        steps_ended: row.count("steps_ended")?,
    })
}

/// Reads a run, long texts included.
pub(in crate::adapters::sql) fn whole(row: &impl Columns) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        request: row.json("request")?,
        prepared: row.json("prepared")?,
        ..summary(row)?
    })
}

fn held_until(row: &impl Columns) -> Result<Option<DateTime<Utc>>, StoreError> {
    let until = row.value("lease_until")?;
    Ok(DateTime::from_timestamp_millis(until).filter(|_| until > 0))
}

fn placement(row: &impl Columns) -> Result<Option<Placement>, StoreError> {
    let Some(pool) = row.value("pool")? else {
        return Ok(None);
    };
    let name: Option<String> = row.value("concurrency_group")?;
    let group = name.map(|name| {
        let policy = row.parsed("group_policy")?;
        Ok::<_, StoreError>(Group { name, policy })
    });
    Ok(Some(Placement {
        pool,
        priority: row.count("priority")?,
        task: row.value("task")?,
        group: group.transpose()?,
        on_worker_loss: row.parsed("on_worker_loss")?,
        needs: needs(row)?,
    }))
}

/// Reads what started a run.
pub(in crate::adapters::sql) fn trigger(row: &impl Columns) -> Result<Option<Trigger>, StoreError> {
    let Some(key) = row.value("cause_key")? else {
        return Ok(None);
    };
    Ok(Some(Trigger {
        key,
        kind: row.parsed("cause_kind")?,
        details: row.json("cause_details")?,
        needs_approval: row.count::<i64>("needs_approval")? == 1,
        approved_by: row.value("approved_by")?,
    }))
}

/// Reads a step of a run.
pub(in crate::adapters::sql) fn step(row: &impl Columns) -> Result<StepRow, StoreError> {
    Ok(StepRow {
        step: row.count("step")?,
        id: row.value("id")?,
        kind: row.value("kind")?,
        status: row.parsed("status")?,
        ignored: row.value("ignored")?,
        attempts: row.count("attempts")?,
        exit_code: row.value("exit_code")?,
        reason: row.value("reason")?,
        started_at: row.time("started_at")?,
        ended_at: row.time("ended_at")?,
        images: row.json("images")?,
    })
}

/// Reads an attempt of a step.
pub(in crate::adapters::sql) fn attempt(row: &impl Columns) -> Result<AttemptRow, StoreError> {
    Ok(AttemptRow {
        step: row.count("step")?,
        attempt: row.count("attempt")?,
        container: row.value("container")?,
        outcome: row.value("outcome")?,
        exit_code: row.value("exit_code")?,
        started_at: row.parsed("started_at")?,
        ended_at: row.time("ended_at")?,
    })
}

/// Reads a run that has ended, and the bytes of its logs.
pub(in crate::adapters::sql) fn ended(row: &impl Columns) -> Result<EndedRun, StoreError> {
    Ok(EndedRun {
        id: row.value("id")?,
        ended_at: row.parsed("ended_at")?,
        log_bytes: row.count("log_bytes")?,
    })
}

/// Reads the lease of a run that was just given.
pub(in crate::adapters::sql) fn lease(
    run: &str,
    (owner, time): (&str, Duration),
    row: &impl Columns,
) -> Result<Lease, StoreError> {
    Ok(Lease {
        run: run.to_owned(),
        generation: row.count("generation")?,
        owner: owner.to_owned(),
        token: row.count("lease_token")?,
        time,
    })
}
