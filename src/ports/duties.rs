//! Who of many servers does what must be done by one at a time.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// Keeps who has which duty. A duty is held for a time by the store's clock, whatever the clocks of servers say.
#[async_trait]
pub trait Duties: Send + Sync {
    /// Takes a duty that nobody has, or keeps one's own, for so long from now; returns how often it has changed hands,
    /// and `None` while another has it.
    async fn hold_duty(
        &self,
        duty: &str,
        holder: &str,
        time: Duration,
    ) -> Result<Option<u64>, StoreError>;
    /// Gives a duty up, for another to take at once.
    async fn leave_duty(&self, duty: &str, holder: &str) -> Result<(), StoreError>;
}
