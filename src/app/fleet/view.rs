//! The fleet as this process knows it: everything recorded so far, folded, and brought up to date by what is new.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::sync::{Mutex, MutexGuard};

use crate::{
    fleet::{Facts, Fleet, Graph, Maker},
    ports::{FleetEntry, FleetStore, NumberedEntry, StoreError, TaskEntry, TaskMakes},
};

/// How many entries are read at once.
const LOT: u32 = 5000;

/// What is recorded of the fleet, and what this process made of it.
pub struct KnownFleet {
    /// The record, shared by all processes.
    pub store: Arc<dyn FleetStore>,
    view: Mutex<View>,
}

/// Everything up to an entry.
#[derive(Default)]
pub(super) struct View {
    last: i64,
    /// What each task makes.
    pub makes: BTreeMap<String, TaskMakes>,
    /// How long the last good run of each task took, in seconds.
    pub seconds: HashMap<String, u64>,
    /// The fleet; whoever reads it keeps it as it was.
    pub fleet: Arc<Fleet>,
    /// Why the graph is not what tasks say, in words.
    pub problem: Option<String>,
}

impl KnownFleet {
    /// Knows what this store has recorded.
    pub fn new(store: Arc<dyn FleetStore>) -> Self {
        Self {
            store,
            view: Mutex::default(),
        }
    }

    /// Reads what is new and gives the view, which nobody else changes meanwhile.
    pub(super) async fn view(&self) -> Result<MutexGuard<'_, View>, StoreError> {
        let mut view = self.view.lock().await;
        view.catch_up(&*self.store).await?;
        Ok(view)
    }
}

impl View {
    /// Reads what was recorded since.
    pub async fn catch_up(&mut self, store: &dyn FleetStore) -> Result<(), StoreError> {
        let mut is_changed = false;
        loop {
            let entries = store.entries_after(self.last, LOT).await?;
            let is_all = entries.len() < LOT as usize;
            for entry in entries {
                is_changed |= self.learn(entry);
            }
            if is_all {
                break;
            }
        }
        if is_changed {
            self.join();
        }
        Ok(())
    }

    /// Learns an entry; says whether it is about what tasks make.
    fn learn(&mut self, NumberedEntry { number, entry }: NumberedEntry) -> bool {
        self.last = number;
        match entry {
            FleetEntry::Fact(fact) => {
                Arc::make_mut(&mut self.fleet).learn(&fact);
                false
            }
            FleetEntry::Task(TaskEntry::Took { task, seconds }) => {
                self.seconds.insert(task, seconds);
                false
            }
            FleetEntry::Task(TaskEntry::Makes(makes)) => {
                self.makes.insert(makes.task.clone(), makes);
                true
            }
            FleetEntry::Task(TaskEntry::Gone { task }) => self.makes.remove(&task).is_some(),
        }
    }

    /// Makes the graph anew. One that cannot be leaves the earlier one in place, and the reason with it.
    fn join(&mut self) {
        let makers: Vec<Maker> = self.makes.values().map(maker).collect();
        match Graph::of(&makers) {
            Ok(graph) => {
                let facts: Facts = std::mem::take(Arc::make_mut(&mut self.fleet)).into_facts();
                self.fleet = Arc::new(Fleet::new(graph, facts));
                self.problem = None;
            }
            Err(error) => self.problem = Some(error.to_string()),
        }
    }
}

fn maker(makes: &TaskMakes) -> Maker {
    Maker {
        task: makes.task.clone(),
        builds: makes.builds.clone(),
    }
}
