//! What is known of the fleet in memory, under the same lock as the runs it learns from.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::runs::{MemoryStore, Runs};
use crate::ports::{FleetEntry, FleetStore, NumberedEntry, RolloutRow, StoreError};

/// Entries, rollouts and ends that have been learned from.
#[derive(Debug, Default)]
pub(super) struct FleetTable {
    entries: Vec<NumberedEntry>,
    once: BTreeSet<String>,
    rollouts: BTreeMap<String, RolloutRow>,
    learned: BTreeSet<String>,
}

impl FleetTable {
    fn add(&mut self, entries: &[FleetEntry]) {
        for entry in entries {
            if entry.once().is_some_and(|key| !self.once.insert(key)) {
                continue;
            }
            let number = self.entries.len() as i64 + 1;
            let entry = entry.clone();
            self.entries.push(NumberedEntry { number, entry });
        }
    }
}

impl Runs {
    fn unlearned(&self) -> impl Iterator<Item = &String> {
        let ended = self
            .by_number
            .values()
            .filter(|run| run.row.ended_at.is_some());
        let ids = ended.map(|run| &run.row.id);
        ids.filter(|id| !self.fleet.learned.contains(*id))
    }
}

#[async_trait]
impl FleetStore for MemoryStore {
    async fn add_entries(&self, entries: &[FleetEntry]) -> Result<(), StoreError> {
        self.lock().fleet.add(entries);
        self.wakes.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn entries_after(
        &self,
        number: i64,
        limit: u32,
    ) -> Result<Vec<NumberedEntry>, StoreError> {
        let runs = self.lock();
        let first = usize::try_from(number).unwrap_or(0);
        let later = runs.fleet.entries.iter().skip(first);
        Ok(later.take(limit as usize).cloned().collect())
    }

    async fn unlearned_ends(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let runs = self.lock();
        let mut ends: Vec<String> = runs.unlearned().cloned().collect();
        ends.sort();
        ends.truncate(limit as usize);
        Ok(ends)
    }

    async fn learn_end(&self, run: &str, entries: &[FleetEntry]) -> Result<bool, StoreError> {
        let mut runs = self.lock();
        let is_there = runs.unlearned().any(|it| it == run);
        if is_there {
            runs.fleet.learned.insert(run.to_owned());
            runs.fleet.add(entries);
        }
        Ok(is_there)
    }

    async fn put_rollout(&self, rollout: &RolloutRow) -> Result<bool, StoreError> {
        let mut runs = self.lock();
        let there = runs.fleet.rollouts.get(&rollout.id);
        if there.map_or(0, |it| it.version) != rollout.version {
            return Ok(false);
        }
        let kept = RolloutRow {
            version: rollout.version + 1,
            ..rollout.clone()
        };
        runs.fleet.rollouts.insert(rollout.id.clone(), kept);
        drop(runs);
        self.wakes.send_modify(|count| *count += 1);
        Ok(true)
    }

    async fn rollout(&self, id: &str) -> Result<Option<RolloutRow>, StoreError> {
        Ok(self.lock().fleet.rollouts.get(id).cloned())
    }

    async fn rollouts(&self, only_open: bool, limit: u32) -> Result<Vec<RolloutRow>, StoreError> {
        let runs = self.lock();
        let all = runs.fleet.rollouts.values();
        let wanted = all.filter(|it| !only_open || !it.state.is_over());
        let mut found: Vec<RolloutRow> = wanted.cloned().collect();
        let age = |it: &RolloutRow| (it.created_at.timestamp_millis(), it.id.clone());
        found.sort_by_key(|it| std::cmp::Reverse(age(it)));
        found.truncate(limit as usize);
        Ok(found)
    }
}
