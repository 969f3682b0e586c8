//! The run's networks: made when a step that joins them begins or the first container runs, and not when none will.
//!
//! The engine takes long to make one and to remove one, and a container that starts meanwhile starts slower.

use tokio::sync::watch;

use super::gate::Gate;
use crate::ports::EngineError;

/// What is known of the steps that join them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// One may come.
    Unknown,
    /// One has come, or nothing hurries.
    Wanted,
    /// None will come.
    Past,
}

/// Decides whether networks are made, and lets those through who wait for them.
pub(super) struct Networks {
    need: watch::Sender<Need>,
    gate: Gate,
}

impl Default for Networks {
    fn default() -> Self {
        Self {
            need: watch::Sender::new(Need::Unknown),
            gate: Gate::default(),
        }
    }
}

impl Networks {
    /// Has them made, unless nobody will need them.
    pub fn want(&self) {
        self.decide(Need::Wanted);
    }

    /// Says that nobody will need them any more; returns whether they are there or being made.
    pub fn forgo(&self) -> bool {
        self.decide(Need::Past) == Need::Wanted
    }

    /// Waits for the decision; returns whether they are to be made.
    pub async fn are_wanted(&self) -> bool {
        let mut need = self.need.subscribe();
        let decided = need.wait_for(|need| *need != Need::Unknown).await;
        decided.is_ok_and(|need| *need == Need::Wanted)
    }

    /// Lets everybody through, or tells them why not.
    pub fn open(&self, outcome: Result<(), EngineError>) {
        self.gate.open(outcome);
    }

    /// Has them made and waits until they are there.
    pub async fn passed(&self) -> Result<(), EngineError> {
        self.want();
        self.gate.passed().await
    }

    /// The first decision stands.
    fn decide(&self, wish: Need) -> Need {
        self.need.send_if_modified(|need| {
            let is_open = *need == Need::Unknown;
            if is_open {
                *need = wish;
            }
            is_open
        });
        *self.need.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_decision_stands() {
        let wanted = Networks::default();
        wanted.want();
        assert!(wanted.forgo());
        assert!(wanted.are_wanted().await);
        let past = Networks::default();
        assert!(!past.forgo());
        past.want();
        assert!(!past.are_wanted().await);
    }

    #[tokio::test]
    async fn who_waits_for_them_has_them_made() {
        let networks = Networks::default();
        let waits = networks.passed();
        tokio::pin!(waits);
        assert!(futures_util::poll!(&mut waits).is_pending());
        assert!(networks.are_wanted().await);
        networks.open(Ok(()));
        assert_eq!(waits.await, Ok(()));
    }
}
