//! Where the runs of a stored task wait.

use crate::{
    ports::{DEFAULT_POOL, Group, GroupPolicy, OnWorkerLoss, Placement},
    tasks::{Definition, Policy},
};

/// Where a run of this task waits for a worker.
pub(super) fn placement(task: &Definition) -> Placement {
    let group = task.concurrency.as_ref().map(|concurrency| Group {
        name: concurrency.group.clone(),
        policy: match concurrency.policy {
            Policy::Queue => GroupPolicy::Queue,
            Policy::CancelSuperseded => GroupPolicy::CancelSuperseded,
            Policy::Skip => GroupPolicy::Skip,
        },
    });
    Placement {
        pool: task.pool.clone().unwrap_or_else(|| DEFAULT_POOL.to_owned()),
        priority: task.priority,
        task: Some(task.name.clone()),
        group,
        on_worker_loss: OnWorkerLoss::default(),
    }
}
