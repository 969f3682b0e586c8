//! Reads the fleet as it is known now, with its rollouts.

use std::sync::Arc;

use super::rollouts::SHOWN;
use crate::{
    app::RolloutView,
    fleet::Fleet,
    server::{Api, ui::failure::Failure},
};

/// The fleet at one moment.
pub(super) struct Seen {
    /// The graph with all that is known of it.
    pub fleet: Arc<Fleet>,
    /// The last rollouts, newest first.
    pub rollouts: Vec<RolloutView>,
}

/// Reads everything; no registry is asked.
pub(super) async fn read(api: &Api) -> Result<Seen, Failure> {
    let gathered = api.app.known_fleet().await?;
    Ok(Seen {
        rollouts: api.app.list_rollouts(false, SHOWN).await?,
        fleet: gathered.fleet,
    })
}
