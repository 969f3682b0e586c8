//! The time of day.

use chrono::{DateTime, Utc};

/// Tells the time; waiting is done with tokio's timers, which tests can pause.
pub trait Clock: Send + Sync {
    /// Reads the wall clock.
    fn now(&self) -> DateTime<Utc>;
}
