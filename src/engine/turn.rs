//! What one event brings about: when it happened, and what is then wanted done.

use super::{Action, Millis, Timer};

/// Collects the actions of one event.
pub(super) struct Turn {
    /// When the event happened.
    pub at: Millis,
    /// What is wanted so far, in order.
    pub actions: Vec<Action>,
}

impl Turn {
    /// Begins the turn of an event that happened at `at` and has brought about nothing yet.
    pub fn at(at: Millis) -> Self {
        Self {
            at,
            actions: Vec::new(),
        }
    }

    /// Wants something done.
    pub fn want(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Sets a clock that goes off in so many seconds, and says when that is.
    pub fn set(&mut self, timer: Timer, seconds: u64) -> Millis {
        self.set_in(timer, millis(seconds))
    }

    /// Sets a clock that goes off in so many milliseconds, and says when that is.
    pub fn set_in(&mut self, timer: Timer, wait: Millis) -> Millis {
        let due = self.at.saturating_add(wait);
        self.want(Action::Set { timer, due });
        due
    }

    /// Forgets a clock.
    pub fn unset(&mut self, timer: Timer) {
        self.want(Action::Unset { timer });
    }
}

/// Turns seconds of a task file into milliseconds, within bounds.
pub(super) fn millis(seconds: u64) -> Millis {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}
