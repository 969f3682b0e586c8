//! The workers of a store in memory.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::runs::MemoryStore;
use crate::ports::{
    Heard, SILENCE_SECONDS, StoreError, WorkerFacts, WorkerRow, WorkerState, Workers,
};

/// For so long a worker is listed without a word from it.
const LISTED: Duration = Duration::from_secs(24 * 3600);

/// The workers by name.
#[derive(Debug, Default)]
pub(super) struct WorkerTable(BTreeMap<String, Known>);

#[derive(Debug)]
struct Known {
    facts: WorkerFacts,
    state: WorkerState,
    seen_at: DateTime<Utc>,
    seen: Instant,
}

impl WorkerTable {
    /// Says whether a worker was told to drain.
    pub(super) fn is_draining(&self, name: &str) -> bool {
        let known = self.0.get(name);
        known.is_some_and(|it| it.state == WorkerState::Draining)
    }
}

#[async_trait]
impl Workers for MemoryStore {
    async fn worker_is_here(&self, facts: &WorkerFacts) -> Result<Heard, StoreError> {
        let table = &mut self.lock().workers.0;
        let state = table.get(&facts.name).map(|it| it.state);
        let state = state.unwrap_or_default();
        let known = Known {
            facts: facts.clone(),
            state,
            seen_at: Utc::now(),
            seen: Instant::now(),
        };
        table.insert(facts.name.clone(), known);
        let is_here = |it: &&Known| {
            let is_near = it.facts.pool == facts.pool && it.state == WorkerState::Active;
            is_near && it.seen.elapsed().as_secs() <= SILENCE_SECONDS
        };
        let here = table.values().filter(is_here);
        let workers = here.map(|it| it.facts.name.clone()).collect();
        Ok(Heard { state, workers })
    }

    async fn worker_left(&self, name: &str) -> Result<(), StoreError> {
        let stays = |known: &Known| known.state == WorkerState::Draining;
        let table = &mut self.lock().workers.0;
        table.retain(|other, known| other != name || stays(known));
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let runs = self.lock();
        let of = |name: &str| {
            let runs = runs.by_number.values();
            let own = runs.filter(|it| it.is_under_way() && it.row.owner.as_deref() == Some(name));
            own.map(|run| run.row.id.clone()).collect()
        };
        let listed = runs.workers.0.values();
        let listed = listed.filter(|known| known.seen.elapsed() < LISTED);
        let row = |known: &Known| WorkerRow {
            facts: known.facts.clone(),
            state: known.state,
            seen_at: known.seen_at,
            silent_seconds: known.seen.elapsed().as_secs(),
            runs: of(&known.facts.name),
        };
        Ok(listed.map(row).collect())
    }

    async fn set_worker(&self, name: &str, state: WorkerState) -> Result<bool, StoreError> {
        let known = match self.lock().workers.0.get_mut(name) {
            Some(known) => {
                known.state = state;
                true
            }
            None => false,
        };
        self.wakes.send_modify(|count| *count += 1);
        Ok(known)
    }
}
