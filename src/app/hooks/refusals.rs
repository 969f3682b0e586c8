//! What stays of a delivery that was refused, at any door: when, from where, how large and why, a few each second.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{app::App, ports::Rejection};

/// Refusals that are kept in a second; of more than that nothing is to be learned.
const EACH_SECOND: u32 = 10;

/// Keeps what was refused.
pub struct Refusals {
    app: Arc<App>,
    window: Mutex<(Instant, u32)>,
}

impl Refusals {
    /// Keeps refusals in the store of a careen.
    pub fn new(app: Arc<App>) -> Refusals {
        let window = Mutex::new((Instant::now(), 0));
        Refusals { app, window }
    }

    /// Keeps that a delivery was refused, unless that happens too often.
    pub async fn keep(&self, from: String, bytes: u64, why: &str) {
        if !self.is_to_be_kept() {
            return;
        }
        let rejection = Rejection {
            at: self.app.ports.clock.now(),
            from,
            bytes,
            reason: why.to_owned(),
        };
        if let Err(error) = self.app.deliveries.reject(&rejection).await {
            tracing::warn!("a refused delivery could not be recorded: {error}");
        }
    }

    fn is_to_be_kept(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0.elapsed() >= Duration::from_secs(1) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        window.1 <= EACH_SECOND
    }
}
