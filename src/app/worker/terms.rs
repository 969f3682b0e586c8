//! On what terms a worker works.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    ports::{DEFAULT_POOL, RegistryLogin},
    runner::LEASE,
};

/// What a worker is called and how much it takes on.
#[derive(Debug, Clone)]
pub struct WorkerTerms {
    /// Its name, the same after a restart: then it takes up at once what it had.
    pub name: String,
    /// The pool whose runs it takes.
    pub pool: String,
    /// How many runs it drives at once.
    pub parallel_runs: usize,
    /// How long its runs stay its own without a word from it.
    pub lease: Duration,
    /// How long its runs may take to end when it is told to stop, before they are handed over.
    pub drain: Duration,
    /// Its labels: tasks that demand one go to workers that bear it.
    pub labels: BTreeMap<String, String>,
    /// Platforms that it takes beside its engine's own, as an engine that emulates them may.
    pub platforms: Vec<String>,
    /// The CPUs that it offers, in thousandths; no more than its engine has.
    pub cpu_millis: Option<u64>,
    /// The memory that it offers, in bytes; no more than its engine has.
    pub memory_bytes: Option<u64>,
    /// Credentials for registries.
    pub logins: Vec<RegistryLogin>,
    /// Whether builds that say nothing else keep their cache in the registry, where other workers find it.
    pub shares_cache: bool,
}

impl WorkerTerms {
    /// The usual terms of a worker called so.
    pub fn named(name: impl Into<String>) -> WorkerTerms {
        WorkerTerms {
            name: name.into(),
            pool: DEFAULT_POOL.to_owned(),
            parallel_runs: std::thread::available_parallelism().map_or(2, usize::from),
            lease: LEASE,
            drain: Duration::ZERO,
            labels: BTreeMap::new(),
            platforms: Vec::new(),
            cpu_millis: None,
            memory_bytes: None,
            logins: Vec::new(),
            shares_cache: false,
        }
    }
}
