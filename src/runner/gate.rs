//! What containers wait for before they start: made once, beside other things, and told to all who wait.

use tokio::sync::watch;

use crate::ports::EngineError;

/// Stays shut until something is done, then tells everybody what came of it.
pub(super) struct Gate(watch::Sender<Option<Result<(), EngineError>>>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Gate {
    /// Lets everybody through, or tells them why not.
    pub fn open(&self, outcome: Result<(), EngineError>) {
        self.0.send_replace(Some(outcome));
    }

    /// Waits until it is open.
    pub async fn passed(&self) -> Result<(), EngineError> {
        let mut door = self.0.subscribe();
        let opened = door.wait_for(Option::is_some).await;
        match opened.map(|outcome| outcome.clone()) {
            Ok(Some(outcome)) => outcome,
            // Whoever would have opened it is gone, and the run with it.
            Ok(None) | Err(_) => Err(EngineError::Broken("the set-up was abandoned".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_came_before_and_after_hear_the_same() {
        let gate = Gate::default();
        let early = gate.passed();
        tokio::pin!(early);
        assert!(futures_util::poll!(&mut early).is_pending());
        gate.open(Err(EngineError::Other("no room".to_owned())));
        let told = Err(EngineError::Other("no room".to_owned()));
        assert_eq!(early.await, told);
        assert_eq!(gate.passed().await, told);
    }
}
