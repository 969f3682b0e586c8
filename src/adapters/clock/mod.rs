//! The machine's own clock.

use chrono::{DateTime, Utc};

use crate::ports::Clock;

/// Reads the machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
