//! What the fleet says of a task whose bases moved: base-image triggers and waves decide alike, and build nothing twice.

use super::{
    super::{App, AppError},
    decided::Decided,
};
use crate::{
    fleet::{Action, Fleet, Id, Outcome, State, image_name},
    ports::Enqueued,
};

/// What becomes of a task whose bases moved.
pub(in super::super) enum ByFleet {
    /// It is built from exactly this.
    Build(Decided),
    /// An earlier image is what is wanted again.
    Retag(Action),
    /// A run has built this, or is at it.
    Known(String),
    /// The fleet knows too little of it to decide.
    Unknown,
}

impl App {
    /// Decides for a task whose bases moved, each seen to hold a digest.
    pub(in super::super) async fn by_fleet(
        &self,
        task: &str,
        moved: &[(&str, &str)],
    ) -> Result<ByFleet, AppError> {
        for (image, digest) in moved {
            if let Ok(image) = image_name(image) {
                self.know_seen(&image, digest).await?;
            }
        }
        // A fleet that makes no sense is no reason to leave a trigger without its run.
        let Ok(gathered) = self.known_fleet().await else {
            return Ok(ByFleet::Unknown);
        };
        let fleet = &*gathered.fleet;
        let known = fleet.graph().task(task);
        let known = known.filter(|&id| !fleet.graph().node(id).images.is_empty());
        Ok(known
            .filter(|&id| moved.iter().all(|it| stands_on(fleet, id, *it)))
            .and_then(|id| decide(fleet, id, moved))
            .unwrap_or(ByFleet::Unknown))
    }

    /// Lets an earlier image be what tags hold, as waves do; says what was done.
    pub(in super::super) async fn retag_now(&self, action: Action) -> Result<String, AppError> {
        let keyring = self.keyring(&[]).await?;
        let done = self.retag(&keyring, action).await?;
        let mut view = self.fleet.view().await?;
        self.learn_entries(&done.entries, &mut view).await?;
        Ok(done.words.join("; "))
    }

    /// Records that a decided build was queued by a trigger.
    pub(in super::super) async fn know_queued(
        &self,
        decided: Decided,
        run: &str,
        queued: &Enqueued,
    ) -> Result<(), AppError> {
        let fact = match queued {
            Enqueued::Known { run } => self.known_build(decided, run.clone()).await?,
            Enqueued::Waiting { .. } | Enqueued::Skipped { .. } => {
                decided.queued(run.to_owned(), self.ports.clock.now())
            }
        };
        let mut view = self.fleet.view().await?;
        self.learn_entries(&[fact.into()], &mut view).await
    }
}

fn stands_on(fleet: &Fleet, id: Id, (image, digest): (&str, &str)) -> bool {
    let Ok(image) = image_name(image) else {
        return false;
    };
    let holds = fleet.facts().tag(&image);
    fleet.graph().node(id).bases.contains(&image) && holds.is_some_and(|it| it.digest == digest)
}

fn decide(fleet: &Fleet, id: Id, moved: &[(&str, &str)]) -> Option<ByFleet> {
    let task = fleet.graph().node(id).name.clone();
    let inputs = fleet.wanted_inputs(id)?;
    let key = inputs.key();
    let known = fleet.facts().task(&task)?;
    let mut epoch = known.floor(&key).0;
    if let Some(build) = known.build_of(&key) {
        match (&build.end, &fleet.standing(id).state) {
            (None, _) => {
                return Some(ByFleet::Known(format!("run {} builds this", build.run)));
            }
            (_, State::Ready(action)) if matches!(**action, Action::Retag { .. }) => {
                return Some(ByFleet::Retag((**action).clone()));
            }
            (Some((Outcome::Built { .. }, _)), _) => {
                return Some(ByFleet::Known(format!("run {} built this", build.run)));
            }
            (Some((Outcome::Failed { .. }, _)), _) => epoch = build.epoch + 1,
        }
    }
    let image = moved.first().and_then(|it| image_name(it.0).ok());
    Some(ByFleet::Build(Decided {
        origin: image.and_then(|it| fleet.origin(&it)),
        task,
        inputs,
        epoch,
        rollout: None,
    }))
}
