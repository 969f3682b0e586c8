//! A worker says that it is here, what it has, and what keeps it from taking runs.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Worker, WorkerTerms};
use crate::ports::{Capacity, EngineInfo, StoreError, WorkerFacts, WorkerState, platform_name};

/// How often a worker says that it is here; three times before it counts as gone.
const SAY: Duration = Duration::from_secs(10);
/// How often one in trouble looks whether that is over.
const SAY_IN_TROUBLE: Duration = Duration::from_secs(1);
/// So many times it says that it is here until it tries its key again.
const KEY: u32 = 6;
/// How long an engine may take to say who it is.
const ENGINE: Duration = Duration::from_secs(5);

/// What a worker of these terms over this engine says of itself.
pub(super) fn facts(terms: &WorkerTerms, engine: &EngineInfo) -> WorkerFacts {
    WorkerFacts {
        name: terms.name.clone(),
        pool: terms.pool.clone(),
        capacity: capacity(terms, engine),
        parallel_runs: terms.parallel_runs,
        engine: engine.id.clone(),
        engine_version: engine.version.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        problem: None,
    }
}

fn capacity(terms: &WorkerTerms, engine: &EngineInfo) -> Capacity {
    let has = u64::from(engine.cpus) * 1000;
    let whole = format!("{}/{}", engine.os, engine.architecture);
    let own = [engine.os.as_str(), &whole];
    let names = own
        .into_iter()
        .chain(terms.platforms.iter().map(String::as_str));
    Capacity {
        cpu_millis: terms.cpu_millis.map_or(has, |offered| offered.min(has)),
        memory_bytes: terms.memory_bytes.map_or(engine.memory_bytes, |offered| {
            offered.min(engine.memory_bytes)
        }),
        platforms: names.filter_map(platform_name).collect(),
        labels: terms.labels.clone(),
    }
}

impl Worker {
    /// Says so when it is time, and hears whether to take runs.
    pub(super) async fn say_here(&mut self) -> Result<(), StoreError> {
        let every = match self.facts.problem {
            Some(_) => SAY_IN_TROUBLE,
            None => SAY,
        };
        let last = self.said_to_be_here;
        if last.is_some_and(|last| last.elapsed() < every) && self.app.room.check().is_ok() {
            return Ok(());
        }
        let problem = self.problem().await;
        let is_news = problem != self.facts.problem;
        if let Some(problem) = problem.as_ref().filter(|_| is_news) {
            tracing::warn!("claiming no runs: {problem}");
        }
        self.facts.problem = problem;
        if is_news || last.is_none_or(|last| last.elapsed() >= every) {
            let heard = self.app.workers.worker_is_here(&self.facts).await?;
            self.times_said = self.times_said.wrapping_add(1);
            self.is_draining = heard.state == WorkerState::Draining;
            self.pace.workers = u32::try_from(heard.workers.len())
                .unwrap_or(u32::MAX)
                .max(1);
            self.homes.settle(&self.terms.name, heard.workers);
            self.said_to_be_here = Some(Instant::now());
        }
        Ok(())
    }

    /// What keeps it from taking runs, though those under way go on: no room on the disk, no engine, a key that does not
    /// open what is stored, an object store that refuses.
    async fn problem(&self) -> Option<String> {
        if let Err(full) = self.app.room.check() {
            return Some(full.to_string());
        }
        match timeout(ENGINE, self.app.ports.containers.info()).await {
            Ok(Ok(engine)) if engine.id == self.claim.engine => {
                self.app.bar(self.looks_at_key()).await
            }
            Ok(Ok(_)) => {
                Some("its engine is another than when it began; start it again".to_owned())
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("its engine does not answer".to_owned()),
        }
    }

    /// Says whether it is time to try the key: keys change rarely, and that costs the database two statements.
    fn looks_at_key(&self) -> bool {
        self.facts.problem.is_some() || self.times_said.is_multiple_of(KEY)
    }

    /// Says that it is gone.
    pub(super) async fn leave(&self) {
        if let Err(error) = self.app.workers.worker_left(&self.terms.name).await {
            tracing::warn!(%error, "could not say that this worker has stopped");
        }
    }
}
