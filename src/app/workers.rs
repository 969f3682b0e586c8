//! Why no worker takes a run that waits.

use crate::ports::{Placement, WorkerRow};

/// So many workers are named.
const NAMED: usize = 3;

/// Says in words why no worker there is will ever take a run that waits so; `None` when one will.
pub(super) fn none_fits(place: &Placement, workers: &[WorkerRow]) -> Option<String> {
    let pool = &place.pool;
    let of_pool = workers.iter().filter(|it| it.facts.pool == *pool);
    let here: Vec<&WorkerRow> = of_pool.filter(|it| it.is_here()).collect();
    if here.is_empty() {
        return Some(format!("no worker of pool {pool} is at work"));
    }
    let mut bars = Vec::new();
    for worker in &here {
        bars.push(format!(
            "{} {}",
            worker.facts.name,
            worker.bar(&place.needs)?
        ));
    }
    let mut words = format!(
        "no worker of pool {pool} takes it: {}",
        bars[..bars.len().min(NAMED)].join(", ")
    );
    if bars.len() > NAMED {
        words += &format!(" and {} more", bars.len() - NAMED);
    }
    Some(words)
}
