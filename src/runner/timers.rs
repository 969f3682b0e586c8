//! The clocks that are set, one task each.

use std::{collections::HashMap, time::Duration};

use tokio::task::AbortHandle;

use super::dispatch::{Inbox, Input};
use crate::engine::{Event, Millis, Timer};

/// The clocks of one run.
#[derive(Default)]
pub(super) struct Timers {
    set: HashMap<Timer, AbortHandle>,
}

impl Timers {
    /// Sets a clock that goes off `due - now` milliseconds from now; an earlier setting is forgotten.
    pub fn set(&mut self, timer: Timer, due: Millis, now: Millis, inbox: &Inbox) {
        let wait = Duration::from_millis(due.saturating_sub(now).max(0).unsigned_abs());
        let inbox = inbox.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            inbox.send(Input::event(Event::Fired { timer }));
        });
        if let Some(earlier) = self.set.insert(timer, task.abort_handle()) {
            earlier.abort();
        }
    }

    /// Forgets a clock.
    pub fn unset(&mut self, timer: Timer) {
        if let Some(task) = self.set.remove(&timer) {
            task.abort();
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.set.values().for_each(AbortHandle::abort);
    }
}
