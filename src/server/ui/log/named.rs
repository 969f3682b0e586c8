//! Finds the log that an address names: a run, the position of a step, an attempt, and a generation if not the present.

use axum::http::StatusCode;
use serde::Deserialize;

use crate::{
    ports::{LogKey, RunRow, StoreError},
    server::{Api, ui::failure::Failure},
};

/// A log with what pages say of it.
pub(super) struct Named {
    /// Which log it is.
    pub key: LogKey,
    /// The run that wrote it.
    pub run: RunRow,
    /// The step's id.
    pub step: String,
    /// How many lines are stored.
    pub lines: u64,
}

/// Which generation's log is wanted.
#[derive(Debug, Default, Deserialize)]
pub(in crate::server::ui) struct Generation {
    /// The generation, from 1; the present one when none is named.
    pub generation: Option<u32>,
}

impl Named {
    /// Finds a log of a generation, by default the present one; one that holds nothing yet is found, too.
    pub async fn find(
        api: &Api,
        (run, step, attempt): (String, u32, u32),
        generation: Option<u32>,
    ) -> Result<Self, Failure> {
        let store = &api.app.ports.store;
        let run = store.run(&store.find(&run).await?).await?;
        let steps = store.steps(&run.id).await?;
        let Some(found) = steps.into_iter().find(|it| it.step == step) else {
            return Err(Failure::new(
                StatusCode::NOT_FOUND,
                "the run has no such step",
            ));
        };
        let key = LogKey {
            run: run.id.clone(),
            generation: generation.unwrap_or(run.generation),
            step,
            attempt,
        };
        let lines = stored(api, &key).await?;
        Ok(Self {
            key,
            run,
            step: found.id,
            lines,
        })
    }
}

async fn stored(api: &Api, key: &LogKey) -> Result<u64, StoreError> {
    let last = api.frames.last(key).await?;
    Ok(last.map_or(0, |it| it.first_line + u64::from(it.lines)))
}
