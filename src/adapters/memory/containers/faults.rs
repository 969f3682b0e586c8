//! Faults on order: calls that fail or stall, connections that break.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard},
};

use tokio::sync::watch;

use crate::ports::EngineError;

/// A call of the `Containers` and `Images` ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `Containers::info`.
    Info,
    /// `Containers::create_network`.
    CreateNetwork,
    /// `Containers::remove_network`.
    RemoveNetwork,
    /// `Containers::create_volume`.
    CreateVolume,
    /// `Containers::remove_volume`.
    RemoveVolume,
    /// `Containers::create`.
    Create,
    /// `Containers::start`.
    Start,
    /// `Containers::output`.
    Output,
    /// `Containers::wait`.
    Wait,
    /// `Containers::inspect`.
    Inspect,
    /// `Containers::stop`.
    Stop,
    /// `Containers::remove`.
    Remove,
    /// `Containers::list`.
    List,
    /// `Containers::upload`.
    Upload,
    /// `Containers::download`.
    Download,
    /// `Images::image`.
    Image,
    /// `Images::pull`.
    Pull,
    /// `Images::push`.
    Push,
    /// `Images::build`.
    Build,
    /// `Images::ensure_empty_image`.
    EnsureEmptyImage,
}

/// What goes wrong.
#[derive(Debug)]
pub(super) struct Faults {
    ordered: Mutex<Ordered>,
    /// Counts the breaks of the connection; calls under way end when it moves.
    breaks: watch::Sender<u64>,
    /// Moves when a stall is lifted.
    lifted: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ordered {
    unreachable: bool,
    failures: HashMap<Call, VecDeque<EngineError>>,
    stalled: HashSet<Call>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            ordered: Mutex::default(),
            breaks: watch::Sender::new(0),
            lifted: watch::Sender::new(0),
        }
    }
}

impl Faults {
    /// Lets a call in, unless something was ordered for it.
    pub(super) async fn enter(&self, call: Call) -> Result<(), EngineError> {
        let (mut lifted, mut breaks) = (self.lifted.subscribe(), self.breaks());
        loop {
            {
                let mut ordered = self.ordered();
                if ordered.unreachable {
                    return Err(unreachable());
                }
                if !ordered.stalled.contains(&call) {
                    let failures = ordered.failures.get_mut(&call);
                    let failure = failures.and_then(VecDeque::pop_front);
                    return failure.map_or(Ok(()), Err);
                }
            }
            tokio::select! {
                _ = lifted.changed() => {}
                broken = breaks.broken() => return Err(broken),
            }
        }
    }

    /// Notices breaks of the connection from now on.
    pub(super) fn breaks(&self) -> Breaks {
        Breaks(self.breaks.subscribe())
    }

    pub(super) fn fail(&self, call: Call, times: usize, error: EngineError) {
        let mut ordered = self.ordered();
        let failures = ordered.failures.entry(call).or_default();
        failures.extend(std::iter::repeat_n(error, times));
    }

    pub(super) fn stall(&self, call: Call, stalled: bool) {
        if stalled {
            self.ordered().stalled.insert(call);
        } else {
            self.ordered().stalled.remove(&call);
            self.lifted.send_modify(|lifted| *lifted += 1);
        }
    }

    pub(super) fn break_connection(&self, reachable_after: bool) {
        self.ordered().unreachable = !reachable_after;
        self.breaks.send_modify(|breaks| *breaks += 1);
    }

    pub(super) fn restore_connection(&self) {
        self.ordered().unreachable = false;
    }

    fn ordered(&self) -> MutexGuard<'_, Ordered> {
        let ordered = self.ordered.lock();
        ordered.unwrap_or_else(|poison| poison.into_inner())
    }
}

/// Notices breaks of the connection.
pub(super) struct Breaks(watch::Receiver<u64>);

impl Breaks {
    /// Waits until the connection breaks.
    pub(super) async fn broken(&mut self) -> EngineError {
        if self.0.changed().await.is_err() {
            // The engine is gone, and nobody can break it any more.
            std::future::pending::<()>().await;
        }
        EngineError::Broken("the engine in memory was told to break".to_string())
    }
}

fn unreachable() -> EngineError {
    EngineError::Unreachable {
        address: "memory".to_string(),
        reason: "the engine in memory was told to break".to_string(),
    }
}
