//! Forgets what is recorded of the fleet and says nothing any more, so that the record does not grow for ever.

use std::collections::{HashMap, HashSet};

use super::super::{App, AppError};
use crate::{
    fleet::Past,
    ports::{FleetEntry, NumberedEntry, TaskEntry},
};

/// How many entries are read, and forgotten, at once.
const LOT: u32 = 5000;

/// Everything read so far, and what of it later entries took back.
#[derive(Default)]
struct Reading {
    facts: Past,
    /// The last entry of each kind about each task.
    last: HashMap<(&'static str, String), i64>,
    superseded: Vec<i64>,
}

impl App {
    /// Forgets builds whose runs are gone and entries that later ones took back; says how many. What stands on what,
    /// how each image stands, and what the report says of it stay as they are.
    pub(in super::super) async fn forget_fleet_past(&self) -> Result<u64, AppError> {
        let past = self.fleet.view().await?.fleet.past_runs();
        let mut gone = HashSet::new();
        for runs in past.chunks(LOT as usize) {
            gone.extend(self.fleet.store.runs_gone(runs).await?);
        }
        let superseded = self.read_entries().await?.superseded(&gone);
        let mut count = 0;
        for numbers in superseded.chunks(LOT as usize) {
            count += self.fleet.store.forget_entries(numbers).await?;
        }
        Ok(count)
    }

    async fn read_entries(&self) -> Result<Reading, AppError> {
        let (mut reading, mut last) = (Reading::default(), 0);
        loop {
            let entries = self.fleet.store.entries_after(last, LOT).await?;
            let is_all = entries.len() < LOT as usize;
            for entry in entries {
                last = entry.number;
                reading.read(&entry);
            }
            if is_all {
                return Ok(reading);
            }
        }
    }
}

impl Reading {
    fn read(&mut self, NumberedEntry { number, entry }: &NumberedEntry) {
        let kind = match entry {
            FleetEntry::Fact(fact) => return self.facts.read(*number, fact),
            FleetEntry::Task(TaskEntry::Makes(_) | TaskEntry::Gone { .. }) => "makes",
            FleetEntry::Task(TaskEntry::Took { .. }) => "took",
        };
        let about = (kind, entry.subject().to_owned());
        self.superseded.extend(self.last.insert(about, *number));
    }

    fn superseded(self, gone: &HashSet<String>) -> Vec<i64> {
        let mut numbers = self.facts.superseded(gone);
        numbers.extend(self.superseded);
        numbers
    }
}
