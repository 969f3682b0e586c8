//! Ends runs whose process has died, and removes what ended runs left on the engine.

use super::{App, AppError, lost::Ending};
use crate::{
    ports::{Labels, Resource, RunFilter, RunRow, StoreError},
    runner::{LABEL_GENERATION, LABEL_RUN, LABEL_STORE, LEASE, remove_all, remove_lost},
};

/// Why such a run ended, in its record.
pub(super) const CLIENT_LOST: &str = "client lost: the careen that drove it is gone";
/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    /// Runs that were ended.
    pub ended: Vec<String>,
    /// Containers, networks and volumes that were removed.
    pub removed: usize,
}

impl App {
    /// Ends every local run that nobody drives any more; asks the engine only when there is one.
    pub async fn end_lost_runs(&self) -> Result<Swept, AppError> {
        let filter = RunFilter {
            unfinished: true,
            local: true,
            ..RunFilter::default()
        };
        let mut swept = Swept::default();
        for run in self.ports.store.runs(&filter).await? {
            // Holding the lock for the while keeps two sweeps apart.
            let Ok(_held) = self.hold(&run.id) else {
                continue;
            };
            let is_shared = self.ports.store.is_shared();
            // On another machine a run may have been recorded just now and be claimed in a moment.
            if is_shared && run.owner.is_none() && self.is_fresh(&run) {
                self.liveness.forget(&run.id);
                continue;
            }
            let lease = match self.lease(&run.id, !is_shared).await {
                Ok(lease) => lease,
                // It ended just now; looking has made its lock anew.
                Err(StoreError::Held { .. }) => {
                    self.liveness.forget(&run.id);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            swept.removed +=
                remove_lost(self.ports.containers.as_ref(), &self.labels(&run.id)).await?;
            self.record_end(&run.id, &lease, &Ending::lost(CLIENT_LOST))
                .await?;
            self.liveness.forget(&run.id);
            swept.ended.push(run.id);
        }
        Ok(swept)
    }

    fn is_fresh(&self, run: &RunRow) -> bool {
        let age = self.ports.clock.now() - run.created_at;
        age.to_std().is_ok_and(|age| age < LEASE)
    }

    /// Ends lost runs and removes everything of this store on the engine that belongs to no living run.
    pub async fn sweep(&self) -> Result<Swept, AppError> {
        let mut swept = self.end_lost_runs().await?;
        swept.removed += self.sweep_engine().await?;
        Ok(swept)
    }

    /// Removes what ended runs and lost generations left on the engine; returns how many things there were.
    pub(super) async fn sweep_engine(&self) -> Result<usize, AppError> {
        let mut removed = 0;
        let containers = self.ports.containers.as_ref();
        let own = Labels::from([(
            LABEL_STORE.to_owned(),
            self.ports.store.store_id().to_owned(),
        )]);
        let mut owners = std::collections::BTreeSet::new();
        for resource in [Resource::Container, Resource::Network, Resource::Volume] {
            let found = containers.list(resource, &own).await?;
            owners.extend(found.into_iter().filter_map(|it| {
                let generation = it.labels.get(LABEL_GENERATION)?.parse::<u32>().ok()?;
                Some((it.labels.get(LABEL_RUN)?.clone(), generation))
            }));
        }
        for (run, generation) in owners {
            let is_over = match self.ports.store.run(&run).await {
                Ok(row) => row.status.is_ended() || row.generation > generation,
                Err(StoreError::NoSuchRun(_)) => true,
                Err(error) => return Err(error.into()),
            };
            if is_over {
                let mut labels = self.labels(&run);
                labels.insert(LABEL_GENERATION.to_owned(), generation.to_string());
                removed += remove_all(containers, &labels).await?;
            }
        }
        Ok(removed)
    }

    fn labels(&self, run: &str) -> Labels {
        Labels::from([
            (
                LABEL_STORE.to_owned(),
                self.ports.store.store_id().to_owned(),
            ),
            (LABEL_RUN.to_owned(), run.to_owned()),
        ])
    }
}
