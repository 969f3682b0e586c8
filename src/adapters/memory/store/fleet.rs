//! What is known of the fleet in memory, under the same lock as the runs it learns from.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::runs::{MemoryStore, Runs};
use crate::ports::{FleetEntry, FleetStore, NumberedEntry, RolloutRow, StoreError};

/// Entries, rollouts and ends that have been learned from.
#[derive(Debug, Default)]
pub(super) struct FleetTable {
    entries: Vec<NumberedEntry>,
    last: i64,
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
            self.last += 1;
            let number = self.last;
            let entry = entry.clone();
            self.entries.push(NumberedEntry { number, entry });
        }
    }

    fn forget(&mut self, numbers: &[i64]) -> u64 {
        let numbers: BTreeSet<i64> = numbers.iter().copied().collect();
        let before = self.entries.len();
        let once = &mut self.once;
        self.entries.retain(|it| {
            let goes = numbers.contains(&it.number);
            if let Some(key) = it.entry.once().filter(|_| goes) {
                once.remove(&key);
            }
            !goes
        });
        (before - self.entries.len()) as u64
    }

    /// Forgets rollouts that were over by then, and older.
    pub(super) fn forget_rollouts(&mut self, before: DateTime<Utc>) -> usize {
        let count = self.rollouts.len();
        self.rollouts
            .retain(|_, it| !it.state.is_over() || it.created_at >= before);
        count - self.rollouts.len()
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
        let known = |it: &NumberedEntry| it.number <= number;
        let first = runs.fleet.entries.partition_point(known);
        let later = runs.fleet.entries.iter().skip(first);
        Ok(later.take(limit as usize).cloned().collect())
    }

    async fn forget_entries(&self, numbers: &[i64]) -> Result<u64, StoreError> {
        Ok(self.lock().fleet.forget(numbers))
    }

    async fn runs_gone(&self, runs: &[String]) -> Result<Vec<String>, StoreError> {
        let mut known = self.lock();
        let gone = runs.iter().filter(|it| known.stored(it).is_err());
        Ok(gone.cloned().collect())
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
