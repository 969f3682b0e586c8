//! Timers in memory, under the same lock as the runs they start.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::runs::{MemoryStore, Runs};
use crate::ports::{Enqueued, Firing, NewTimer, Occurrence, StoreError, Timer, Timers};

/// Timers by task and name, and what was decided about them.
#[derive(Debug, Default)]
pub(super) struct TimerTable {
    waiting: BTreeMap<(String, String), Waiting>,
    occurrences: Vec<Occurrence>,
}

#[derive(Debug)]
struct Waiting {
    timer: Timer,
    spec: String,
    held_until: DateTime<Utc>,
}

impl TimerTable {
    fn put(&mut self, (task, version): (&str, u32), new: &NewTimer) {
        let key = (task.to_owned(), new.name.clone());
        let fresh = Timer {
            task: task.to_owned(),
            name: new.name.clone(),
            version,
            next_at: new.next_at,
            due_at: new.due_at,
            problem: None,
        };
        match self.waiting.get_mut(&key) {
            Some(there) if there.timer.version > version => {}
            Some(there) if there.spec == new.spec => there.timer.version = version,
            _ => {
                let waiting = Waiting {
                    timer: fresh,
                    spec: new.spec.clone(),
                    held_until: DateTime::UNIX_EPOCH,
                };
                self.waiting.insert(key, waiting);
            }
        }
    }

    /// Forgets what was decided before a moment, and says how much that was.
    pub(super) fn forget(&mut self, before: DateTime<Utc>) -> usize {
        let count = self.occurrences.len();
        self.occurrences.retain(|it| it.decided_at >= before);
        count - self.occurrences.len()
    }

    /// The timer, if it still is where it was claimed.
    fn same(&mut self, timer: &Timer) -> Option<&mut Waiting> {
        let key = (timer.task.clone(), timer.name.clone());
        let there = self.waiting.get_mut(&key)?;
        (there.timer.next_at == timer.next_at).then_some(there)
    }
}

impl Runs {
    fn fire(&mut self, firing: &Firing) -> Result<Option<Vec<Enqueued>>, StoreError> {
        if self.timers.same(&firing.timer).is_none() {
            return Ok(None);
        }
        let queue = |timed: &crate::ports::TimedRun| self.enqueue(&timed.run, &timed.place);
        let queued: Vec<Enqueued> = firing.runs.iter().map(queue).collect::<Result<_, _>>()?;
        let occurrences = firing.occurrences(&queued);
        self.timers.occurrences.extend(occurrences);
        match (firing.next, self.timers.same(&firing.timer)) {
            (Some((next_at, due_at)), Some(there)) => {
                there.timer.next_at = next_at;
                there.timer.due_at = due_at;
                there.timer.problem = None;
                there.held_until = DateTime::UNIX_EPOCH;
            }
            _ => {
                let key = (firing.timer.task.clone(), firing.timer.name.clone());
                self.timers.waiting.remove(&key);
            }
        }
        Ok(Some(queued))
    }
}

#[async_trait]
impl Timers for MemoryStore {
    async fn put_timers(
        &self,
        task: &str,
        version: u32,
        timers: &[NewTimer],
    ) -> Result<(), StoreError> {
        let table = &mut self.lock().timers;
        table.waiting.retain(|(of, name), there| {
            of != task || there.timer.version > version || timers.iter().any(|it| it.name == *name)
        });
        for timer in timers {
            table.put((task, version), timer);
        }
        Ok(())
    }

    async fn timers(&self, task: Option<&str>) -> Result<Vec<Timer>, StoreError> {
        let runs = self.lock();
        let timers = runs.timers.waiting.values().map(|it| &it.timer);
        let wanted = timers.filter(|timer| task.is_none_or(|task| timer.task == task));
        Ok(wanted.cloned().collect())
    }

    async fn claim_timers(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Timer>, StoreError> {
        let mut runs = self.lock();
        let mut due: Vec<&mut Waiting> = runs
            .timers
            .waiting
            .values_mut()
            .filter(|it| it.timer.due_at <= now && it.held_until <= now)
            .collect();
        due.sort_by_key(|it| it.timer.due_at);
        due.truncate(limit as usize);
        for waiting in &mut due {
            waiting.held_until = held_until;
        }
        Ok(due.iter().map(|it| it.timer.clone()).collect())
    }

    async fn fire(&self, firings: &[Firing]) -> Result<Vec<Option<Vec<Enqueued>>>, StoreError> {
        let answers = {
            let mut runs = self.lock();
            firings.iter().map(|firing| runs.fire(firing)).collect()
        };
        self.wakes.send_modify(|count| *count += 1);
        answers
    }

    async fn postpone_timer(
        &self,
        timer: &Timer,
        until: DateTime<Utc>,
        problem: &str,
    ) -> Result<(), StoreError> {
        if let Some(there) = self.lock().timers.same(timer) {
            there.held_until = until;
            there.timer.problem = Some(problem.to_owned());
        }
        Ok(())
    }

    async fn occurrences(&self, task: &str, limit: u32) -> Result<Vec<Occurrence>, StoreError> {
        let runs = self.lock();
        let all = runs.timers.occurrences.iter().rev();
        let wanted = all.filter(|it| it.task == task).take(limit as usize);
        Ok(wanted.cloned().collect())
    }
}
