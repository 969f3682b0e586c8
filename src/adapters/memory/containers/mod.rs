//! An engine in memory that runs nothing.
//!
//! It keeps the rules of a real one: names are taken, volumes are in use, images must be there. How a container behaves
//! is told by its own environment (see [`Behaviour`]), so that a test is a task file; [`MemoryEngine::behave`] does the
//! same from outside. Time is tokio's, which tests can pause.

mod behaviour;
mod builds;
mod container;
mod control;
mod digest;
mod dockerfile;
mod faults;
mod files;
mod images;
mod life;
mod objects;
mod output;
mod packing;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};

pub use behaviour::Behaviour;
pub use faults::Call;

use faults::Faults;
use state::State;

/// An engine in memory; clones are the same engine.
#[derive(Debug, Clone)]
pub struct MemoryEngine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    faults: Faults,
}

impl MemoryEngine {
    /// Starts an engine without images.
    pub fn new() -> MemoryEngine {
        MemoryEngine {
            inner: Arc::new(Inner {
                state: Mutex::new(State::new()),
                faults: Faults::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.inner.state.lock();
        state.unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Default for MemoryEngine {
    fn default() -> Self {
        MemoryEngine::new()
    }
}
