//! Deliveries, decisions, sources and reports in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::runs::{MemoryStore, Runs};
use crate::{
    ports::{
        Decision, Deliveries, Delivery, DeliveryFilter, Enqueued, HookSource, NewDelivery,
        Rejection, Report, Ruled, Ruling, Starting, StoreError, TaskDecision, Verdict,
    },
    triggers::{Move, Position, Standing, standing},
};

/// Everything about deliveries.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    deliveries: BTreeMap<u64, (Delivery, Option<Instant>)>,
    rejections: Vec<Rejection>,
    sources: BTreeMap<String, HookSource>,
    heads: HashMap<Place, Head>,
    commits: HashMap<(Place, String), u32>,
    reports: BTreeMap<String, (Report, Option<Instant>)>,
}

/// A scope's view of a repository's reference.
type Place = (String, String, String);

#[derive(Debug, Default, Clone)]
struct Head {
    commit: Option<String>,
    at: Option<i64>,
    moved_at: i64,
}

impl Hooks {
    fn move_to(&mut self, verdict: &Verdict, to: &Move) -> Standing {
        let place = (
            verdict.scope.clone(),
            to.repository.clone(),
            to.reference.clone(),
        );
        let visits = |commit: &Option<String>| {
            let commit = commit.clone()?;
            self.commits.get(&(place.clone(), commit)).copied()
        };
        let head = self.heads.get(&place).cloned().unwrap_or_default();
        let position = Position {
            head: head.commit,
            at: head.at,
            moved_at: head.moved_at,
            visits: visits(&to.commit),
            knows_before: visits(&to.before).is_some(),
        };
        let found = standing(to, &position);
        if let Standing::New { visit } = found {
            let head = Head {
                commit: to.commit.clone(),
                at: to.at,
                moved_at: verdict.at.timestamp_millis(),
            };
            self.heads.insert(place.clone(), head);
            if let Some(before) = &to.before {
                self.commits
                    .entry((place.clone(), before.clone()))
                    .or_default();
            }
            if let Some(commit) = &to.commit {
                self.commits.insert((place, commit.clone()), visit);
            }
        }
        found
    }

    fn rule(
        &mut self,
        runs: &mut Runs,
        verdict: &Verdict,
        ruling: &Ruling,
    ) -> Result<Ruled, StoreError> {
        let standing = match &ruling.to {
            Some(to) if verdict.replay == 0 => self.move_to(verdict, to),
            _ => Standing::New { visit: 0 },
        };
        let visit = match standing {
            Standing::New { visit } => visit,
            Standing::Seen => {
                return Ok(ruling.nothing("the reference stands at this commit already"));
            }
            Standing::Late => return Ok(ruling.nothing("the reference has moved on since")),
        };
        let starts = ruling.starts.iter();
        let started: Result<_, _> = starts
            .map(|it| self.start(runs, verdict, (it, visit)))
            .collect();
        Ok(ruling.ruled(started?, verdict.replay))
    }

    fn start(
        &mut self,
        runs: &mut Runs,
        verdict: &Verdict,
        (starting, visit): (&Starting, u32),
    ) -> Result<TaskDecision, StoreError> {
        let mut run = starting.run.clone();
        if let (Some(trigger), Some(key)) = (&mut run.trigger, verdict.key(starting, visit)) {
            trigger.key = key;
        }
        let enqueued = runs.enqueue(&run, &starting.place)?;
        if let (Some(target), Enqueued::Waiting { .. }) = (&starting.report, &enqueued) {
            let report = Report {
                run: run.id.clone(),
                target: target.clone(),
                told: String::new(),
                attempts: 0,
            };
            self.reports.insert(run.id, (report, None));
        }
        Ok(starting.decision(&enqueued))
    }
}

impl MemoryStore {
    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets decided deliveries that came before a moment, and says how many that were.
    pub(super) fn forget_deliveries(&self, before: DateTime<Utc>) -> usize {
        let kept = &mut self.hooks().deliveries;
        let count = kept.len();
        kept.retain(|_, (delivery, _)| delivery.decision.is_none() || delivery.at >= before);
        count - kept.len()
    }
}

fn is_free(until: Option<Instant>) -> bool {
    until.is_none_or(|until| until <= Instant::now())
}

#[async_trait]
impl Deliveries for MemoryStore {
    async fn accept(&self, deliveries: &[NewDelivery]) -> Result<Vec<bool>, StoreError> {
        let mut hooks = self.hooks();
        let mut keep = |it: &NewDelivery| {
            if hooks
                .deliveries
                .values()
                .any(|(known, _)| known.id == it.id)
            {
                return false;
            }
            let last = hooks.deliveries.last_key_value().map_or(0, |it| *it.0);
            let number = last + 1;
            let delivery = Delivery {
                number,
                id: it.id.clone(),
                source: it.source.clone(),
                task: it.task.clone(),
                provider: it.provider,
                event: it.event.clone(),
                headers: it.headers.clone(),
                body: it.body.clone(),
                at: it.at,
                decision: None,
                replays: 0,
            };
            hooks.deliveries.insert(number, (delivery, None));
            true
        };
        Ok(deliveries.iter().map(&mut keep).collect())
    }

    async fn reject(&self, rejection: &Rejection) -> Result<(), StoreError> {
        self.hooks().rejections.push(rejection.clone());
        Ok(())
    }

    async fn rejections(&self, limit: u32) -> Result<Vec<Rejection>, StoreError> {
        let hooks = self.hooks();
        let newest = hooks.rejections.iter().rev().take(limit as usize);
        Ok(newest.cloned().collect())
    }

    async fn undecided(&self, limit: u32, hold: Duration) -> Result<Vec<Delivery>, StoreError> {
        let mut hooks = self.hooks();
        let free = |(delivery, until): &&mut (Delivery, Option<Instant>)| {
            delivery.decision.is_none() && is_free(*until)
        };
        let free = hooks.deliveries.values_mut().filter(free);
        let taken = free.take(limit as usize).map(|(delivery, until)| {
            *until = Some(Instant::now() + hold);
            delivery.clone()
        });
        Ok(taken.collect())
    }

    async fn decide(&self, verdict: &Verdict) -> Result<Decision, StoreError> {
        let (mut hooks, mut runs) = (self.hooks(), self.lock());
        let kept = verdict.delivery.and_then(|it| hooks.deliveries.get(&it));
        let earlier = kept.and_then(|(delivery, _)| delivery.decision.clone());
        if let (Some(decision), 0) = (earlier, verdict.replay) {
            return Ok(decision);
        }
        let rulings = verdict.rulings.iter();
        let ruled: Result<_, _> = rulings
            .map(|ruling| hooks.rule(&mut runs, verdict, ruling))
            .collect();
        let decision = verdict.decision(ruled?);
        let kept = verdict
            .delivery
            .and_then(|it| hooks.deliveries.get_mut(&it));
        if let Some((delivery, _)) = kept {
            delivery.decision = Some(decision.clone());
        }
        self.wakes.send_modify(|count| *count += 1);
        Ok(decision)
    }

    async fn knows_head(
        &self,
        scope: &str,
        repository: &str,
        reference: &str,
    ) -> Result<bool, StoreError> {
        let place = (
            scope.to_owned(),
            repository.to_owned(),
            reference.to_owned(),
        );
        Ok(self.hooks().heads.contains_key(&place))
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        let hooks = self.hooks();
        let older = hooks.deliveries.range(..filter.before.unwrap_or(u64::MAX));
        let newest = older.rev().take(filter.limit as usize);
        let listed = newest.map(|(_, (delivery, _))| Delivery {
            body: Vec::new(),
            ..delivery.clone()
        });
        Ok(listed.collect())
    }

    async fn delivery(&self, number: u64) -> Result<Option<Delivery>, StoreError> {
        Ok(self.hooks().deliveries.get(&number).map(|it| it.0.clone()))
    }

    async fn count_replay(&self, number: u64) -> Result<u32, StoreError> {
        let mut hooks = self.hooks();
        let delivery = hooks.deliveries.get_mut(&number);
        let missing = || StoreError::Database(format!("there is no delivery {number}"));
        let (delivery, _) = delivery.ok_or_else(missing)?;
        delivery.replays += 1;
        Ok(delivery.replays)
    }

    async fn put_source(&self, source: &HookSource) -> Result<(), StoreError> {
        let name = source.name.clone();
        self.hooks().sources.insert(name, source.clone());
        Ok(())
    }

    async fn reseal_source(&self, from: &HookSource, to: &HookSource) -> Result<bool, StoreError> {
        let mut hooks = self.hooks();
        let there = hooks.sources.get_mut(&from.name);
        let Some(there) = there.filter(|it| it.secret == from.secret) else {
            return Ok(false);
        };
        there.secret.clone_from(&to.secret);
        there.previous.clone_from(&to.previous);
        there.token.clone_from(&to.token);
        Ok(true)
    }

    async fn remove_source(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.hooks().sources.remove(name).is_some())
    }

    async fn sources(&self) -> Result<Vec<HookSource>, StoreError> {
        Ok(self.hooks().sources.values().cloned().collect())
    }

    async fn due_reports(&self, limit: u32, hold: Duration) -> Result<Vec<Report>, StoreError> {
        let (mut hooks, mut runs) = (self.hooks(), self.lock());
        let mut is_due = |(report, until): &(Report, Option<Instant>)| {
            let row = runs.stored(&report.run);
            let has_ended = row.is_ok_and(|run| run.row.ended_at.is_some());
            !report.is_done() && is_free(*until) && (report.told.is_empty() || has_ended)
        };
        let due = hooks.reports.values_mut().filter(|it| is_due(it));
        let taken = due.take(limit as usize).map(|(report, until)| {
            *until = Some(Instant::now() + hold);
            report.clone()
        });
        Ok(taken.collect())
    }

    async fn reported(&self, report: &Report, again_after: Duration) -> Result<(), StoreError> {
        let until = Some(Instant::now() + again_after);
        let run = report.run.clone();
        self.hooks().reports.insert(run, (report.clone(), until));
        Ok(())
    }

    async fn approve(&self, run: &str, by: &str) -> Result<bool, StoreError> {
        let approved = self.lock().approve(run, by);
        self.wakes.send_modify(|count| *count += 1);
        approved
    }
}

impl Runs {
    /// Lets a run go that waits for approval.
    fn approve(&mut self, run: &str, by: &str) -> Result<bool, StoreError> {
        let stored = self.stored(run)?;
        let waits = stored.is_waiting;
        Ok(match &mut stored.row.trigger {
            Some(trigger) if trigger.needs_approval => {
                trigger.needs_approval = false;
                trigger.approved_by = Some(by.to_owned());
                waits
            }
            _ => false,
        })
    }
}
