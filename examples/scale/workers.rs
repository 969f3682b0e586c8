//! The workers: what each has, holds and prefers.

use std::collections::BTreeMap;

use careen::{
    app::Homes,
    ports::{Capacity, Lease, Needs, Placement},
    tasks::homes,
};

use super::load::{POOLS, SLOTS};

/// A worker of a pool.
pub struct Worker {
    pub pool: usize,
    /// Rises when it is lost: what was under way for it is not any more.
    pub life: u32,
    pub is_here: bool,
    /// Whether it found nothing when it last looked.
    pub is_idle: bool,
    /// Its runs by id.
    pub runs: BTreeMap<String, Held>,
    /// What it had when it was lost.
    pub lost: Vec<Lease>,
    /// The tasks that it prefers.
    pub homes: Homes,
}

/// A run that it drives.
pub struct Held {
    pub lease: Lease,
    pub needs: Needs,
    /// When it was given the lease.
    pub held_since: u64,
}

impl Worker {
    /// A worker that has nothing to do yet.
    pub fn new(pool: usize) -> Worker {
        Worker {
            pool,
            life: 0,
            is_here: true,
            is_idle: false,
            runs: BTreeMap::new(),
            lost: Vec::new(),
            homes: Homes::default(),
        }
    }
}

/// Where the tasks of each pool are at home while all workers are here: the worker of each bucket.
pub struct Homeland([BTreeMap<u8, usize>; POOLS.len()]);

impl Homeland {
    /// Shares the buckets of each pool out among its workers.
    pub fn of(pools: &[Vec<usize>; POOLS.len()]) -> Homeland {
        let shared = |workers: &Vec<usize>| {
            let names: Vec<String> = workers.iter().copied().map(name).collect();
            let own = |(worker, name): (&usize, &String)| {
                let buckets = homes(name, &names).into_iter();
                buckets.map(|bucket| (bucket, *worker)).collect::<Vec<_>>()
            };
            workers.iter().zip(&names).flat_map(own).collect()
        };
        Homeland(std::array::from_fn(|pool| shared(&pools[pool])))
    }

    /// Says whether a run of this place is at home with the worker.
    pub fn is_home(&self, worker: usize, pool: usize, place: &Placement) -> bool {
        let bucket = place.bucket().unwrap_or_default();
        self.0[pool].get(&bucket) == Some(&worker)
    }
}

/// The name of a worker, by its number.
pub fn name(worker: usize) -> String {
    format!("worker-{worker}")
}

/// Workers are shared out among pools as tasks are.
pub fn pool_of(number: usize, all: usize) -> usize {
    let mut up_to = 0.0;
    for (pool, (_, part, ..)) in POOLS.iter().enumerate() {
        up_to += part * all as f64;
        if (number as f64) < up_to {
            return pool;
        }
    }
    0
}

/// Room for as many runs of its pool as it has slots.
pub fn capacity(pool: usize) -> Capacity {
    let (_, _, cpus, gib) = POOLS[pool];
    let slots = SLOTS as u64;
    Capacity {
        cpu_millis: slots * cpus * 1000,
        memory_bytes: slots * (gib << 30),
        platforms: vec!["linux".to_owned(), "linux/amd64".to_owned()],
        labels: Default::default(),
    }
}
