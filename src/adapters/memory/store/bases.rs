//! What is known of base images, in memory, under the same lock as the runs they start.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::runs::MemoryStore;
use crate::ports::{
    BaseDecision, BaseRow, Bases, Enqueued, Looked, NewBase, NewDecision, NewRun, Observation,
    Placement, StoreError, Watch,
};

/// Bases, watches and decisions.
#[derive(Debug, Default)]
pub(super) struct BaseTable {
    bases: BTreeMap<(String, String), BaseRow>,
    watches: BTreeMap<String, Watching>,
    decisions: Vec<Decided>,
}

#[derive(Debug)]
struct Watching {
    watch: Watch,
    repository: String,
    held_until: DateTime<Utc>,
}

#[derive(Debug)]
struct Decided {
    decision: BaseDecision,
    is_waiting: bool,
}

impl BaseTable {
    fn put(&mut self, task: &str, new: &NewBase, (from, at): (&str, DateTime<Utc>)) {
        let base = &new.base;
        let row = BaseRow {
            task: task.to_owned(),
            key: base.key.clone(),
            is_runtime: base.is_runtime,
            stood_on: base.stood_on.clone(),
            learned_from: from.to_owned(),
            learned_at: at,
        };
        let key = (task.to_owned(), base.key.clone());
        self.bases.entry(key).or_insert(row);
        let watch = Watch {
            key: base.key.clone(),
            seen: base.stood_on.clone(),
            etag: None,
            prompt: None,
            rule: new.rule.clone(),
            next_at: at,
            looked_at: None,
            failures: 0,
            problem: None,
        };
        self.watches.entry(base.key.clone()).or_insert(Watching {
            watch,
            repository: new.repository.clone(),
            held_until: DateTime::UNIX_EPOCH,
        });
    }

    fn observe(&mut self, seen: &Observation, decisions: &[NewDecision]) -> bool {
        let watching = self.watches.get_mut(&seen.key);
        let Some(watching) = watching.filter(|it| it.watch.seen == seen.from) else {
            return false;
        };
        watching.held_until = DateTime::UNIX_EPOCH;
        watching.watch = Watch {
            seen: Some(seen.to.clone()),
            etag: seen.etag.clone(),
            prompt: None,
            next_at: seen.next_at,
            looked_at: Some(seen.at),
            failures: 0,
            problem: None,
            ..watching.watch.clone()
        };
        for new in decisions {
            let decision = BaseDecision {
                number: self.decisions.last().map_or(0, |it| it.decision.number) + 1,
                task: new.task.clone(),
                key: seen.key.clone(),
                from: seen.from.clone(),
                to: seen.to.clone(),
                how: seen.how.clone(),
                at: seen.at,
                due_at: new.due_at,
                run: None,
                reason: new.reason.clone(),
            };
            let is_waiting = new.due_at.is_some();
            self.decisions.push(Decided {
                decision,
                is_waiting,
            });
        }
        true
    }

    /// Forgets what was decided before a moment and waits for nothing, and says how much that was.
    pub(super) fn forget(&mut self, before: DateTime<Utc>) -> usize {
        let count = self.decisions.len();
        let stays = |it: &Decided| it.is_waiting || it.decision.at >= before;
        self.decisions.retain(stays);
        count - self.decisions.len()
    }

    /// Those of these decisions that still wait.
    fn waiting<'a>(&'a mut self, numbers: &'a [i64]) -> impl Iterator<Item = &'a mut Decided> {
        let all = self.decisions.iter_mut();
        all.filter(|it| it.is_waiting && numbers.contains(&it.decision.number))
    }
}

#[async_trait]
impl Bases for MemoryStore {
    async fn put_bases(
        &self,
        task: &str,
        bases: &[NewBase],
        learned: (&str, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        let table = &mut self.lock().bases;
        table.bases.retain(|(of, _), _| of != task);
        for base in bases {
            table.put(task, base, learned);
        }
        let BaseTable { bases, watches, .. } = table;
        watches.retain(|key, _| bases.keys().any(|(_, used)| used == key));
        Ok(())
    }

    async fn bases(&self, task: Option<&str>) -> Result<Vec<BaseRow>, StoreError> {
        let runs = self.lock();
        let rows = runs.bases.bases.values();
        let wanted = rows.filter(|row| task.is_none_or(|task| row.task == task));
        Ok(wanted.cloned().collect())
    }

    async fn bases_on(&self, key: &str) -> Result<Vec<BaseRow>, StoreError> {
        let runs = self.lock();
        let rows = runs.bases.bases.values();
        Ok(rows.filter(|row| row.key == key).cloned().collect())
    }

    async fn watches(&self, task: Option<&str>) -> Result<Vec<Watch>, StoreError> {
        let runs = self.lock();
        let table = &runs.bases;
        let is_wanted = |key: &String| {
            task.is_none_or(|task| table.bases.contains_key(&(task.to_owned(), key.clone())))
        };
        let watches = table.watches.iter().filter(|(key, _)| is_wanted(key));
        Ok(watches.map(|(_, it)| it.watch.clone()).collect())
    }

    async fn claim_watches(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Watch>, StoreError> {
        let mut runs = self.lock();
        let watches = runs.bases.watches.values_mut();
        let mut due: Vec<&mut Watching> = watches
            .filter(|it| it.watch.next_at <= now && it.held_until <= now)
            .collect();
        due.sort_by_key(|it| it.watch.next_at);
        due.truncate(limit as usize);
        for watching in &mut due {
            watching.held_until = held_until;
        }
        Ok(due.iter().map(|it| it.watch.clone()).collect())
    }

    async fn looked(&self, looks: &[Looked]) -> Result<(), StoreError> {
        let mut runs = self.lock();
        for look in looks {
            let Some(watching) = runs.bases.watches.get_mut(&look.key) else {
                continue;
            };
            watching.held_until = DateTime::UNIX_EPOCH;
            let watch = &mut watching.watch;
            watch.next_at = look.next_at;
            watch.problem.clone_from(&look.problem);
            match look.problem {
                Some(_) => watch.failures += 1,
                None => {
                    (watch.failures, watch.looked_at) = (0, Some(look.at));
                    watch.prompt = None;
                }
            }
        }
        Ok(())
    }

    async fn look_now(
        &self,
        repository: &str,
        tag: &str,
        (prompt, at): (&str, DateTime<Utc>),
    ) -> Result<u64, StoreError> {
        let key = format!("{repository}:{tag}");
        let mut runs = self.lock();
        let mut prompted = 0;
        for watching in runs.bases.watches.values_mut() {
            let is_meant = watching.watch.rule.is_some() || watching.watch.key == key;
            if watching.repository == repository && is_meant {
                watching.watch.next_at = at;
                watching.watch.prompt = Some(prompt.to_owned());
                watching.held_until = DateTime::UNIX_EPOCH;
                prompted += 1;
            }
        }
        Ok(prompted)
    }

    async fn observe(
        &self,
        observation: &Observation,
        decisions: &[NewDecision],
    ) -> Result<bool, StoreError> {
        Ok(self.lock().bases.observe(observation, decisions))
    }

    async fn decisions(
        &self,
        task: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BaseDecision>, StoreError> {
        let runs = self.lock();
        let all = runs.bases.decisions.iter().rev().map(|it| &it.decision);
        let wanted = all.filter(|it| task.is_none_or(|task| it.task == task));
        Ok(wanted.take(limit as usize).cloned().collect())
    }

    async fn due_moves(&self, now: DateTime<Utc>) -> Result<Vec<BaseDecision>, StoreError> {
        let runs = self.lock();
        let waiting = || runs.bases.decisions.iter().filter(|it| it.is_waiting);
        let is_time = |task: &str| {
            let mut of_task = waiting().filter(|it| it.decision.task == task);
            of_task.any(|it| it.decision.due_at.is_some_and(|due| due <= now))
        };
        let due = waiting().filter(|it| is_time(&it.decision.task));
        let mut due: Vec<BaseDecision> = due.map(|it| it.decision.clone()).collect();
        due.sort_by(|a, b| (&a.task, a.number).cmp(&(&b.task, b.number)));
        Ok(due)
    }

    async fn start_moved(
        &self,
        decisions: &[i64],
        run: &NewRun,
        place: &Placement,
    ) -> Result<Option<Enqueued>, StoreError> {
        let mut runs = self.lock();
        if runs.bases.waiting(decisions).count() != decisions.len() {
            return Ok(None);
        }
        let queued = runs.enqueue(run, place)?;
        for decided in runs.bases.waiting(decisions) {
            decided.is_waiting = false;
            decided.decision.run = Some(run.id.clone());
        }
        drop(runs);
        self.wakes.send_modify(|count| *count += 1);
        Ok(Some(queued))
    }

    async fn take_back(&self, decisions: &[i64], reason: &str) -> Result<(), StoreError> {
        for decided in self.lock().bases.waiting(decisions) {
            decided.is_waiting = false;
            decided.decision.due_at = None;
            decided.decision.reason += &format!("; {reason}");
        }
        Ok(())
    }
}
