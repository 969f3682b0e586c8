//! A store of runs in memory.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    bases::BaseTable, deliveries::Hooks, duties::DutyTable, faults::Faults, fleet::FleetTable,
    run::StoredRun, timers::TimerTable, workers::WorkerTable,
};
use crate::ports::{
    AttemptRow, Batch, Lease, LimitScope, NewRun, Placement, RecordedEvent, RunFilter, RunRow,
    RunStore, RunWord, Sealed, StepRow, StoreError,
};

/// A store in memory that can be told to fail.
#[derive(Debug)]
pub struct MemoryStore {
    id: String,
    runs: Mutex<Runs>,
    pub(super) hooks: Mutex<Hooks>,
    faults: Faults,
    /// Wakes workers.
    pub(super) wakes: watch::Sender<u64>,
}

/// The runs by the number of their creation, and the numbers by id.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) by_number: BTreeMap<u64, StoredRun>,
    numbers: HashMap<String, u64>,
    /// The runs that wait, by pool, in the order in which they go; some of them may wait no more.
    pub(super) lines: HashMap<String, BTreeSet<(Reverse<i32>, u64)>>,
    /// How many runs may be under way, by scope.
    pub(super) limits: BTreeMap<LimitScope, u32>,
    /// The runs that causes started, by key; they outlive the runs.
    causes: HashMap<String, String>,
    /// Timers that wait.
    pub(super) timers: TimerTable,
    /// What is known of base images.
    pub(super) bases: BaseTable,
    /// Workers that were heard of.
    pub(super) workers: WorkerTable,
    /// Who has which duty.
    pub(super) duties: DutyTable,
    /// What is known of the fleet.
    pub(super) fleet: FleetTable,
}

impl MemoryStore {
    /// Makes an empty store with this id.
    pub fn new(store_id: impl Into<String>) -> MemoryStore {
        MemoryStore {
            id: store_id.into(),
            runs: Mutex::default(),
            hooks: Mutex::default(),
            faults: Faults::default(),
            wakes: watch::Sender::default(),
        }
    }

    /// Lets the next `count` records fail, as on a full disk.
    pub fn fail_next_record(&self, count: u32) {
        self.faults.fail_next(count, StoreError::DiskFull);
    }

    /// Lets every record wait until this is called with `false`.
    pub fn stall(&self, stalled: bool) {
        self.faults.stall(stalled);
    }

    /// Gives the run to another, as after a lease that ran out: its holder is fenced off from now on.
    pub fn lose_lease(&self, run: &str) {
        let forever = Duration::from_secs(u32::MAX.into());
        // A run that is not there has no holder to fence off.
        let _ = self
            .lock()
            .stored(run)
            .and_then(|run| run.take("another", forever, true));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    pub(super) fn stored(&mut self, run: &str) -> Result<&mut StoredRun, StoreError> {
        self.numbers
            .get(run)
            .and_then(|number| self.by_number.get_mut(number))
            .ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))
    }

    pub(super) fn create(
        &mut self,
        run: &NewRun,
        place: Option<&Placement>,
    ) -> Result<(), StoreError> {
        if self.numbers.contains_key(&run.id) {
            return Err(StoreError::IdTaken(run.id.clone()));
        }
        if let Some(trigger) = &run.trigger {
            self.causes.insert(trigger.key.clone(), run.id.clone());
        }
        let number = self.by_number.last_key_value().map_or(1, |(n, _)| n + 1);
        self.numbers.insert(run.id.clone(), number);
        self.stand_in_line(number, place);
        self.by_number
            .insert(number, StoredRun::new(run, place.cloned()));
        Ok(())
    }

    /// Lets a run stand in the line of its pool.
    pub(super) fn stand_in_line(&mut self, number: u64, place: Option<&Placement>) {
        if let Some(place) = place {
            let line = self.lines.entry(place.pool.clone()).or_default();
            line.insert((Reverse(place.priority), number));
        }
    }

    /// Lets a run wait again as its next generation.
    pub(super) fn requeue(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let run = held(self.stored(&lease.run), lease)?;
        run.requeue();
        let place = run.row.placement.clone();
        let number = self.numbers.get(&lease.run).copied().unwrap_or_default();
        self.stand_in_line(number, place.as_ref());
        Ok(())
    }

    /// The run that the cause of this one has started already.
    pub(super) fn same_cause(&self, run: &NewRun) -> Option<String> {
        self.causes.get(&run.trigger.as_ref()?.key).cloned()
    }

    fn delete(&mut self, run: &str) -> Result<(), StoreError> {
        let number = self.numbers.remove(run);
        let number = number.ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))?;
        self.by_number.remove(&number);
        Ok(())
    }

    fn find(&self, word: &str) -> Result<String, StoreError> {
        let mut ids: Vec<&String> = match RunWord::parse(word) {
            RunWord::Latest(back) => {
                let ids = self.by_number.values().rev().map(|run| &run.row.id);
                ids.skip(back as usize).take(1).collect()
            }
            RunWord::Prefix(_) if self.numbers.contains_key(word) => return Ok(word.to_owned()),
            RunWord::Prefix(start) => {
                let ids = self.numbers.keys();
                ids.filter(|id| id.starts_with(start)).collect()
            }
        };
        match (ids.pop(), ids.pop()) {
            (Some(id), None) => Ok(id.clone()),
            (None, _) => Err(StoreError::NoSuchRun(word.to_owned())),
            (Some(_), Some(_)) => Err(StoreError::Ambiguous(word.to_owned())),
        }
    }

    fn list(&self, filter: &RunFilter) -> Vec<RunRow> {
        let before = filter.before.as_ref();
        let end = before.map_or(u64::MAX, |id| self.numbers.get(id).copied().unwrap_or(0));
        let limit = match filter.limit {
            0 => usize::MAX,
            limit => limit as usize,
        };
        self.by_number
            .range(..end)
            .rev()
            .map(|(_, run)| run)
            .filter(|run| was_so(run, filter))
            .map(|run| &run.row)
            .filter(|row| filter.status.is_none_or(|status| row.status == status))
            .filter(|row| filter.name.as_ref().is_none_or(|name| row.name == *name))
            .filter(|row| is_placed_so(row, filter))
            .filter(|row| says(row, filter))
            .filter(|row| !filter.unfinished || !row.status.is_ended())
            .take(limit)
            .map(RunRow::without_texts)
            .collect()
    }
}

#[async_trait]
impl RunStore for MemoryStore {
    fn store_id(&self) -> &str {
        &self.id
    }

    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError> {
        let mut runs = self.lock();
        match runs.same_cause(run) {
            Some(other) => Err(StoreError::CauseTaken(other)),
            None => runs.create(run, None),
        }
    }

    async fn lease_run(
        &self,
        run: &str,
        owner: &str,
        time: Duration,
        force: bool,
    ) -> Result<Lease, StoreError> {
        self.lock().stored(run)?.take(owner, time, force)
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), StoreError> {
        held(self.lock().stored(&lease.run), lease)?.renew(lease, time)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        held(self.lock().stored(&lease.run), lease)?.release();
        Ok(())
    }

    async fn record(&self, lease: &Lease, batch: &Batch) -> Result<(), StoreError> {
        self.faults.meet().await?;
        held(self.lock().stored(&lease.run), lease)?.record(lease, batch)?;
        if batch.run.as_ref().is_some_and(|run| run.status.is_ended()) {
            self.wakes.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    async fn events(&self, run: &str, generation: u32) -> Result<Vec<RecordedEvent>, StoreError> {
        let mut runs = self.lock();
        Ok(match runs.stored(run) {
            Ok(run) if run.row.generation == generation => run.events.clone(),
            _ => Vec::new(),
        })
    }

    async fn secrets(&self, run: &str) -> Result<Vec<(String, Sealed)>, StoreError> {
        Ok(match self.lock().stored(run) {
            Ok(run) => run.secrets.clone(),
            Err(_) => Vec::new(),
        })
    }

    async fn run(&self, run: &str) -> Result<RunRow, StoreError> {
        Ok(self.lock().stored(run)?.row.clone())
    }

    async fn find(&self, word: &str) -> Result<String, StoreError> {
        self.lock().find(word)
    }

    async fn delete_run(&self, run: &str) -> Result<(), StoreError> {
        self.lock().delete(run)
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        Ok(self.lock().list(filter))
    }

    async fn steps(&self, run: &str) -> Result<Vec<StepRow>, StoreError> {
        Ok(match self.lock().stored(run) {
            Ok(run) => run.steps.values().cloned().collect(),
            Err(_) => Vec::new(),
        })
    }

    async fn attempts(&self, run: &str) -> Result<Vec<AttemptRow>, StoreError> {
        Ok(match self.lock().stored(run) {
            Ok(run) => run.attempts.values().cloned().collect(),
            Err(_) => Vec::new(),
        })
    }
}

/// Says whether a run was started by what the filter wants, and bears it in its record.
fn was_so(run: &StoredRun, filter: &RunFilter) -> bool {
    let row = &run.row;
    let asked = row.request["vars"]["branch"].as_str();
    let found = row.prepared["branch"].as_str().filter(|it| !it.is_empty());
    let is_of = |wanted: &String| found.or(asked) == Some(wanted.as_str());
    let bears = |wanted: &String| {
        let wanted = wanted.to_lowercase();
        let mut records = run.steps.values().map(|it| it.images.to_string());
        records.any(|it| it.to_lowercase().contains(&wanted))
    };
    let trigger = row.trigger.as_ref();
    filter.starter.is_none_or(|it| it.started(trigger))
        && filter.branch.as_ref().is_none_or(is_of)
        && filter.image.as_ref().is_none_or(bears)
}

/// Says whether a run bears the text that the filter wants.
fn says(row: &RunRow, filter: &RunFilter) -> bool {
    let Some(wanted) = &filter.contains else {
        return true;
    };
    let text = format!("{} {} {}", row.id, row.name, row.cause);
    text.to_lowercase().contains(&wanted.to_lowercase())
}

/// Says whether a run waits, or waited, where the filter says.
fn is_placed_so(row: &RunRow, filter: &RunFilter) -> bool {
    let place = row.placement.as_ref();
    let is = |wanted: &Option<String>, found: Option<&String>| {
        wanted.is_none() || wanted.as_ref() == found
    };
    is(&filter.pool, place.map(|place| &place.pool))
        && is(&filter.task, place.and_then(|place| place.task.as_ref()))
        && is(
            &filter.group,
            place.and_then(|place| place.group.as_ref().map(|it| &it.name)),
        )
        && !(filter.local && place.is_some())
}

/// The run that a lease is for; a run that is gone took its leases along.
pub(super) fn held<'a>(
    run: Result<&'a mut StoredRun, StoreError>,
    lease: &Lease,
) -> Result<&'a mut StoredRun, StoreError> {
    let run = run.map_err(|_| StoreError::LeaseLost(lease.run.clone()))?;
    run.check(lease)?;
    Ok(run)
}
