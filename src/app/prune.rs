//! Lets the past go: runs with their logs and files, uploaded contexts, the engine's build cache.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{App, AppError};
use crate::ports::{BuildCacheBounds, EndedRun, RunFilter, StoreError};

/// Runs that are looked at together.
const AT_ONCE: u32 = 200;
/// How long an upload may be under way; what is older was given up.
const UPLOAD_HOURS: u64 = 24;

/// What is kept of the past; where nothing is said, all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// For how many days runs, uploaded contexts and what started runs are kept.
    pub days: Option<u64>,
    /// How many ended runs are kept.
    pub runs: Option<u64>,
    /// How many bytes logs may take, compressed as they are.
    pub log_bytes: Option<u64>,
    /// How many bytes uploaded contexts may take.
    pub context_bytes: Option<u64>,
    /// For how many days the engine keeps what builds do not use; never touched unless this is said, for the engine
    /// and its cache may serve others, too.
    pub build_cache_days: Option<u64>,
    /// How many records of its build cache the engine keeps.
    pub build_cache_records: Option<u64>,
    /// How many bytes of build cache the engine keeps.
    pub build_cache_bytes: Option<u64>,
}

impl Keep {
    /// Says whether everything is kept.
    pub fn is_all(&self) -> bool {
        *self == Keep::default()
    }

    fn build_cache(&self) -> BuildCacheBounds {
        let age = |days: u64| Duration::from_secs(days.saturating_mul(24 * 3600));
        BuildCacheBounds {
            unused_for: self.build_cache_days.map(age),
            records: self.build_cache_records,
            bytes: self.build_cache_bytes,
        }
    }
}

/// Something that went, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// The run's id, or the context's digest.
    pub name: String,
    /// Which bound it was beyond, in words.
    pub reason: String,
    /// What it took.
    pub bytes: u64,
}

/// What was let go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Runs, with logs and saved files.
    pub runs: Vec<Gone>,
    /// Uploaded contexts.
    pub contexts: Vec<Gone>,
    /// How many deliveries, times of timers, moves of base images and entries of the fleet went.
    pub facts: u64,
    /// What the engine freed of its build cache, in bytes.
    pub build_cache_bytes: u64,
}

impl Pruned {
    /// Says whether everything stayed.
    pub fn is_nothing(&self) -> bool {
        *self == Pruned::default()
    }
}

impl App {
    /// Lets go of what is beyond these bounds. Runs that have not ended, and what they need, stay.
    pub async fn prune(&self, keep: &Keep) -> Result<Pruned, AppError> {
        let mut pruned = Pruned::default();
        self.prune_by_age(keep, &mut pruned.runs).await?;
        self.prune_by_count(keep, &mut pruned.runs).await?;
        self.prune_by_bytes(keep, &mut pruned.runs).await?;
        pruned.contexts = self.prune_contexts(keep).await?;
        if let Some(days) = keep.days {
            let before = before(self.ports.clock.now(), days);
            pruned.facts = self.upkeep.forget_facts(before).await?;
        }
        if keep.days.is_some() || !pruned.runs.is_empty() {
            pruned.facts += self.forget_fleet_past().await?;
        }
        let build_cache = keep.build_cache();
        if build_cache != BuildCacheBounds::default() {
            pruned.build_cache_bytes = self.ports.images.prune_builds(&build_cache).await?;
        }
        Ok(pruned)
    }

    /// Prunes every so often, for as long as it is polled, and says what went.
    pub async fn keep_pruning(&self, keep: Keep, every: Duration) {
        while !keep.is_all() {
            match self.prune(&keep).await {
                Ok(pruned) if pruned.is_nothing() => {}
                Ok(pruned) => tracing::info!(
                    runs = pruned.runs.len(),
                    contexts = pruned.contexts.len(),
                    facts = pruned.facts,
                    build_cache_bytes = pruned.build_cache_bytes,
                    "pruned what is beyond the bounds"
                ),
                Err(error) => tracing::warn!("could not prune: {error}"),
            }
            tokio::time::sleep(every).await;
        }
    }

    async fn prune_by_age(&self, keep: &Keep, gone: &mut Vec<Gone>) -> Result<(), AppError> {
        let Some(days) = keep.days else {
            return Ok(());
        };
        let before = before(self.ports.clock.now(), days);
        let reason = format!("older than {days} days");
        loop {
            let runs = self.upkeep.ended_runs(Some(before), AT_ONCE).await?;
            if runs.is_empty() {
                return Ok(());
            }
            for run in runs {
                gone.push(self.forget_run(run, &reason).await?);
            }
        }
    }

    async fn prune_by_count(&self, keep: &Keep, gone: &mut Vec<Gone>) -> Result<(), AppError> {
        let Some(kept) = keep.runs else {
            return Ok(());
        };
        let reason = format!("more than {kept} runs");
        loop {
            let beyond = self.upkeep.ended_totals().await?.runs.saturating_sub(kept);
            let some = u32::try_from(beyond).unwrap_or(AT_ONCE).min(AT_ONCE);
            let runs = match some {
                0 => return Ok(()),
                some => self.upkeep.ended_runs(None, some).await?,
            };
            for run in runs {
                gone.push(self.forget_run(run, &reason).await?);
            }
        }
    }

    async fn prune_by_bytes(&self, keep: &Keep, gone: &mut Vec<Gone>) -> Result<(), AppError> {
        let Some(kept) = keep.log_bytes else {
            return Ok(());
        };
        let reason = format!("logs of more than {kept} bytes");
        let mut taken = self.upkeep.ended_totals().await?.log_bytes;
        while taken > kept {
            let runs = self.upkeep.ended_runs(None, AT_ONCE).await?;
            if runs.is_empty() {
                return Ok(()); // all that is left belongs to runs under way
            }
            for run in runs {
                if taken <= kept {
                    break;
                }
                taken = taken.saturating_sub(run.log_bytes);
                gone.push(self.forget_run(run, &reason).await?);
            }
        }
        Ok(())
    }

    /// Forgets a run. Its row goes last: as long as it is there, the rest is found again after a crash.
    async fn forget_run(&self, run: EndedRun, reason: &str) -> Result<Gone, AppError> {
        self.ports.frames.remove(&run.id).await?;
        let files = self.files.join(&run.id);
        match tokio::fs::remove_dir_all(&files).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = format!("{}: {error}", files.display());
                return Err(AppError::Files(what));
            }
            _ => {}
        }
        match self.ports.store.delete_run(&run.id).await {
            // Another server was faster.
            Err(StoreError::NoSuchRun(_)) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Gone {
            name: run.id,
            reason: reason.to_owned(),
            bytes: run.log_bytes,
        })
    }

    async fn prune_contexts(&self, keep: &Keep) -> Result<Vec<Gone>, AppError> {
        let now = self.ports.clock.now();
        self.forget_given_up_uploads().await;
        let mut found = match (keep.days, keep.context_bytes) {
            (None, None) => return Ok(Vec::new()),
            _ => self.uploaded().await?,
        };
        found.sort_by_key(|it| it.kept_at);
        let mut taken: u64 = found.iter().map(|it| it.bytes).sum();
        let needed = self.needed_contexts().await?;
        let mut gone = Vec::new();
        for upload in found {
            let is_old = |days| upload.kept_at < before(now, days);
            let reason = match (keep.days, keep.context_bytes) {
                (Some(days), _) if is_old(days) => format!("older than {days} days"),
                (_, Some(kept)) if taken > kept => format!("contexts of more than {kept} bytes"),
                _ => continue,
            };
            if needed.contains(upload.digest.digits()) {
                continue;
            }
            self.forget_upload(&upload.digest).await?;
            taken = taken.saturating_sub(upload.bytes);
            gone.push(Gone {
                name: upload.digest.to_string(),
                reason,
                bytes: upload.bytes,
            });
        }
        Ok(gone)
    }

    /// The requests of all runs that have not ended; the digests of the contexts that they need stand in them.
    async fn needed_contexts(&self) -> Result<String, AppError> {
        let filter = RunFilter {
            unfinished: true,
            ..RunFilter::default()
        };
        let mut requests = String::new();
        for row in self.ports.store.runs(&filter).await? {
            match self.ports.store.run(&row.id).await {
                Ok(run) => requests.push_str(&run.request.to_string()),
                Err(StoreError::NoSuchRun(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(requests)
    }

    /// Removes the beginnings of uploads that nobody goes on with; what cannot be removed goes the next time.
    async fn forget_given_up_uploads(&self) {
        let Ok(mut found) = tokio::fs::read_dir(self.contexts.join("partial")).await else {
            return;
        };
        while let Ok(Some(entry)) = found.next_entry().await {
            let changed = entry.metadata().await.and_then(|it| it.modified());
            let age = changed.ok().and_then(|it| it.elapsed().ok());
            if age.is_some_and(|it| it > Duration::from_secs(UPLOAD_HOURS * 3600)) {
                let _ = tokio::fs::remove_file(entry.path()).await;
            }
        }
    }
}

fn before(now: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    let days = i64::try_from(days).ok().and_then(TimeDelta::try_days);
    days.and_then(|days| now.checked_sub_signed(days))
        .unwrap_or(DateTime::UNIX_EPOCH)
}
