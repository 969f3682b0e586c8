//! Workers, their store and their clock: what happens next is the first of a heap of moments.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use careen::{
    adapters::memory::store::MemoryStore,
    app::Pace,
    engine::RunStatus,
    ports::{
        Batch, Claim, Lease, Needs, NewRun, Queue, RunStore, StoreError, WorkerFacts, Workers,
    },
};
use rand::Rng;

use super::{
    Size,
    load::{Load, POOLS, SLOTS},
    tally::Tally,
    workers::{Held, Homeland, Worker, capacity, name, pool_of},
};

/// The lease of a run, how often it is renewed, and the grace that a take-over waits.
const LEASE: Duration = Duration::from_secs(60);
const RENEW: u64 = 15_000;
/// A worker renews all its leases at once, but none that was given so short a time ago.
const TOO_SOON: u64 = RENEW / 4;
const GRACE: Duration = Duration::from_secs(15);
/// How often a worker says that it is here.
const SAY: u64 = 10_000;
/// All wake-ups within so many milliseconds are one.
const BELL: u64 = 20;
/// How long a lost worker stays away.
const AWAY: u64 = 600_000;

/// What happens at a moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive,
    Wake(usize),
    Look(usize, u32),
    End(usize, u32, String),
    Renew(usize, u32),
    Say(usize, u32),
    Find(usize, u32),
    Lose(usize),
    Return(usize),
}

/// A run as the simulation remembers it.
struct Run {
    task: usize,
    queued_at: u64,
    is_ended: bool,
}

/// All of it.
pub struct World {
    store: MemoryStore,
    load: Load,
    workers: Vec<Worker>,
    pools: [Vec<usize>; POOLS.len()],
    homeland: Homeland,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    number: u64,
    now: u64,
    runs: Vec<Run>,
    waiting: u64,
    is_woken: [bool; POOLS.len()],
    open: u32,
    tally: Tally,
}

impl World {
    /// Draws a world of this size.
    pub fn new(size: &Size) -> World {
        let mut load = Load::draw(size);
        let mut pools: [Vec<usize>; POOLS.len()] = Default::default();
        let mut workers = Vec::new();
        for number in 0..size.workers as usize {
            let pool = pool_of(number, size.workers as usize);
            pools[pool].push(number);
            workers.push(Worker::new(pool));
        }
        let end = u64::from(size.hours) * 3_600_000;
        let losses: Vec<(u64, usize)> = (0..size.losses)
            .map(|_| {
                (
                    load.rng.random_range(0..end),
                    load.rng.random_range(0..workers.len()),
                )
            })
            .collect();
        let mut world = World {
            store: MemoryStore::new("scale"),
            tally: Tally {
                by_task: vec![(0, 0); load.tasks.len()],
                by_worker: vec![0; workers.len()],
                seconds: end / 1000,
                ..Tally::default()
            },
            load,
            workers,
            homeland: Homeland::of(&pools),
            pools,
            events: BinaryHeap::new(),
            number: 0,
            now: 0,
            runs: Vec::new(),
            waiting: 0,
            is_woken: Default::default(),
            open: size.runs,
        };
        world.begin(&losses);
        world
    }

    fn begin(&mut self, losses: &[(u64, usize)]) {
        for worker in 0..self.workers.len() {
            let first = self.load.rng.random_range(0..SAY);
            self.at(first, Event::Say(worker, 0));
            self.at(first, Event::Look(worker, 0));
            self.at(first, Event::Find(worker, 0));
            self.at(first + RENEW, Event::Renew(worker, 0));
        }
        for (at, worker) in losses {
            self.at(*at, Event::Lose(*worker));
        }
        self.arrive_next();
    }

    /// Lives until the last run has ended, and says how it went.
    pub async fn live(mut self) -> Tally {
        while self.open > 0 {
            let Some(Reverse((at, _, event))) = self.events.pop() else {
                break;
            };
            let passed = at.saturating_sub(self.now);
            if passed > 0 {
                tokio::time::advance(Duration::from_millis(passed)).await;
                self.now = at;
            }
            self.happen(event)
                .await
                .expect("a store in memory does as it is told");
        }
        self.tally
    }

    async fn happen(&mut self, event: Event) -> Result<(), StoreError> {
        match event {
            Event::Arrive => self.arrive().await,
            Event::Wake(pool) => self.wake(pool).await,
            Event::Look(worker, life) if self.lives(worker, life) => {
                self.look_and_again(worker).await
            }
            Event::End(worker, life, run) if self.lives(worker, life) => {
                self.end(worker, &run).await
            }
            Event::Renew(worker, life) if self.lives(worker, life) => self.renew(worker).await,
            Event::Say(worker, life) if self.lives(worker, life) => self.say(worker).await,
            Event::Find(worker, life) if self.lives(worker, life) => self.find_lost(worker).await,
            Event::Lose(worker) => {
                self.lose(worker);
                Ok(())
            }
            Event::Return(worker) => self.come_back(worker).await,
            _ => Ok(()),
        }
    }

    fn at(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((time, self.number, event)));
    }

    fn lives(&self, worker: usize, life: u32) -> bool {
        let it = &self.workers[worker];
        it.is_here && it.life == life
    }

    fn pace(&self, worker: usize) -> Pace {
        let it = &self.workers[worker];
        Pace {
            workers: self.pools[it.pool].len() as u32,
            is_idle: it.is_idle,
        }
    }

    fn arrive_next(&mut self) {
        if let Some(at) = self.load.next_arrival() {
            self.at(at, Event::Arrive);
        }
    }

    async fn arrive(&mut self) -> Result<(), StoreError> {
        let task = self.load.next_task();
        let run = NewRun {
            id: self.runs.len().to_string(),
            name: String::new(),
            cause: String::new(),
            trigger: None,
            request: serde_json::Value::Null,
            secrets: Vec::new(),
            rerun_of: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
        };
        self.store
            .enqueue(&run, &self.load.tasks[task].place)
            .await?;
        self.runs.push(Run {
            task,
            queued_at: self.now,
            is_ended: false,
        });
        self.tally.queued += 1;
        self.tally.calls.enqueued += 1;
        self.waits(1);
        self.ring(self.load.tasks[task].pool);
        self.arrive_next();
        Ok(())
    }

    fn waits(&mut self, more: u64) {
        self.waiting += more;
        self.tally.longest_queue = self.tally.longest_queue.max(self.waiting);
    }

    /// Wakes the workers of a pool, once for all that comes within a moment.
    fn ring(&mut self, pool: usize) {
        if !std::mem::replace(&mut self.is_woken[pool], true) {
            let late = self.load.rng.random_range(1..=BELL);
            self.at(self.now + late, Event::Wake(pool));
        }
    }

    /// Each worker draws whether it heeds the call.
    async fn wake(&mut self, pool: usize) -> Result<(), StoreError> {
        self.is_woken[pool] = false;
        for number in 0..self.pools[pool].len() {
            let worker = self.pools[pool][number];
            let heeds = self.pace(worker).heeds(self.load.rng.random());
            if heeds && self.workers[worker].is_here {
                self.look(worker).await?;
            }
        }
        Ok(())
    }

    async fn look_and_again(&mut self, worker: usize) -> Result<(), StoreError> {
        self.look(worker).await?;
        let pause = self.pace(worker).pause(false);
        let life = self.workers[worker].life;
        self.at(
            self.now + pause.as_millis() as u64,
            Event::Look(worker, life),
        );
        Ok(())
    }

    /// Claims until the worker is full or nothing fits.
    async fn look(&mut self, worker: usize) -> Result<(), StoreError> {
        let before = self.workers[worker].runs.len();
        while self.workers[worker].runs.len() < SLOTS {
            let homes = self.workers[worker].homes.for_next_claim();
            let claim = self.claim(worker, homes);
            let Some(claimed) = self.store.claim(&claim).await? else {
                self.tally.calls.in_vain += 1;
                break;
            };
            self.tally.calls.claimed += 1;
            self.waiting -= 1;
            let needs = claimed.needs();
            self.start(worker, claimed.lease, needs);
        }
        let it = &mut self.workers[worker];
        it.is_idle = it.runs.len() < SLOTS && it.runs.len() == before;
        Ok(())
    }

    fn claim(&self, worker: usize, homes: Vec<u8>) -> Claim {
        let it = &self.workers[worker];
        Claim {
            worker: name(worker),
            engine: name(worker),
            pool: POOLS[it.pool].0.to_owned(),
            time: LEASE,
            left: capacity(it.pool).beside(it.runs.values().map(|run| &run.needs)),
            homes,
        }
    }

    fn start(&mut self, worker: usize, lease: Lease, needs: Needs) {
        let number: usize = lease.run.parse().expect("runs are numbered");
        let run = &self.runs[number];
        let (task, wait) = (run.task, self.now - run.queued_at);
        if lease.generation == 1 {
            self.tally.waits[self.load.tasks[task].pool].push(wait as u32);
            let by_task = &mut self.tally.by_task[task];
            *by_task = (by_task.0 + wait, by_task.1 + 1);
        }
        let it = &self.load.tasks[task];
        let is_home = self.homeland.is_home(worker, it.pool, &it.place);
        self.tally.went_home[it.pool] += u64::from(is_home);
        let (time, life) = (self.load.time(task), self.workers[worker].life);
        self.at(self.now + time, Event::End(worker, life, lease.run.clone()));
        let held = Held {
            lease,
            needs,
            held_since: self.now,
        };
        let runs = &mut self.workers[worker].runs;
        runs.insert(held.lease.run.clone(), held);
    }

    /// Renews what is due, which is one statement however much that is.
    async fn renew(&mut self, worker: usize) -> Result<(), StoreError> {
        let (now, it) = (self.now, &self.workers[worker]);
        let due = it
            .runs
            .values()
            .filter(|it| now - it.held_since >= TOO_SOON);
        let mut renewed = 0;
        for held in due {
            self.store.renew(&held.lease, LEASE).await?;
            renewed += 1;
        }
        let life = it.life;
        self.tally.calls.renewed += u64::from(renewed > 0);
        self.tally.renewals += renewed;
        self.at(self.now + RENEW, Event::Renew(worker, life));
        Ok(())
    }

    async fn end(&mut self, worker: usize, run: &str) -> Result<(), StoreError> {
        let Some(held) = self.workers[worker].runs.remove(run) else {
            return Ok(());
        };
        record_end(&self.store, &held.lease).await?;
        self.tally.calls.recorded += 1;
        self.store.delete_run(run).await?;
        let number: usize = run.parse().expect("runs are numbered");
        if std::mem::replace(&mut self.runs[number].is_ended, true) {
            self.tally.doubled += 1;
        } else {
            self.tally.ended += 1;
            self.open -= 1;
        }
        self.tally.by_worker[worker] += 1;
        self.look(worker).await
    }

    async fn say(&mut self, worker: usize) -> Result<(), StoreError> {
        let facts = WorkerFacts {
            name: name(worker),
            pool: POOLS[self.workers[worker].pool].0.to_owned(),
            capacity: capacity(self.workers[worker].pool),
            parallel_runs: SLOTS,
            engine: name(worker),
            engine_version: String::new(),
            version: String::new(),
            problem: None,
        };
        let heard = self.store.worker_is_here(&facts).await?;
        self.workers[worker]
            .homes
            .settle(&facts.name, heard.workers);
        self.tally.calls.said_here += 1;
        let life = self.workers[worker].life;
        self.at(self.now + SAY, Event::Say(worker, life));
        Ok(())
    }

    /// Looks for runs of lost workers; they are on engines that nobody else reaches, so they begin anew.
    async fn find_lost(&mut self, worker: usize) -> Result<(), StoreError> {
        let claim = self.claim(worker, Vec::new());
        self.tally.calls.looked_for_lost += 1;
        while let Some(taken) = self.store.take_over(&claim, GRACE).await? {
            self.store.requeue(&taken.lease).await?;
            self.tally.calls.taken_over += 1;
            self.tally.begun_anew += 1;
            self.waits(1);
            self.ring(self.workers[worker].pool);
        }
        let pause = self.pace(worker).between_looks_for_lost(GRACE);
        let life = self.workers[worker].life;
        self.at(
            self.now + pause.as_millis() as u64,
            Event::Find(worker, life),
        );
        Ok(())
    }

    fn lose(&mut self, worker: usize) {
        let it = &mut self.workers[worker];
        if !it.is_here {
            return;
        }
        it.is_here = false;
        it.life += 1;
        let lost = std::mem::take(&mut it.runs).into_values();
        it.lost = lost.map(|held| held.lease).collect();
        self.at(self.now + AWAY, Event::Return(worker));
    }

    /// Back again, it tries to write what it had: all of it must be refused.
    async fn come_back(&mut self, worker: usize) -> Result<(), StoreError> {
        for lease in std::mem::take(&mut self.workers[worker].lost) {
            match record_end(&self.store, &lease).await {
                Err(StoreError::LeaseLost(_) | StoreError::NoSuchRun(_)) => self.tally.refused += 1,
                Err(error) => return Err(error),
                Ok(()) => self.tally.doubled += 1,
            }
        }
        self.workers[worker].is_here = true;
        let life = self.workers[worker].life;
        for event in [
            Event::Say(worker, life),
            Event::Look(worker, life),
            Event::Find(worker, life),
            Event::Renew(worker, life),
        ] {
            self.at(self.now, event);
        }
        Ok(())
    }
}

async fn record_end(store: &MemoryStore, lease: &Lease) -> Result<(), StoreError> {
    let mut run = store.run(&lease.run).await?;
    run.status = RunStatus::Succeeded;
    run.ended_at = Some(chrono::DateTime::UNIX_EPOCH);
    let batch = Batch {
        run: Some(run),
        ..Batch::default()
    };
    store.record(lease, &batch).await
}
