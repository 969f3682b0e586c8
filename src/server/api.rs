//! What every handler has at hand.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::feed::Feeds;
use crate::{
    app::{App, Intake, Refusals},
    logs::SharedFrames,
    ports::FrameStore,
};

/// How long a request may take when nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);

/// On what terms the server serves.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Whether requests without a token are served as an admin's.
    pub is_open: bool,
    /// What runs may be allowed, as `--allow` takes it.
    pub allow: Vec<String>,
    /// How long a request may take; streams are not cut.
    pub timeout: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            is_open: false,
            allow: Vec::new(),
            timeout: TIMEOUT,
        }
    }
}

/// careen and how it is served.
#[derive(Clone)]
pub struct Api {
    /// careen itself.
    pub app: Arc<App>,
    /// Logs, read once for all who follow the same one.
    pub(super) frames: Arc<dyn FrameStore>,
    /// The runs that are followed.
    pub(super) feeds: Arc<Feeds>,
    /// On what terms the server serves.
    pub terms: Arc<Terms>,
    /// Keeps deliveries of code hosts.
    pub intake: Intake,
    /// Keeps what was refused at the doors of code hosts and registries.
    pub(super) refusals: Arc<Refusals>,
    /// Canceled when the server is to stop: open streams end.
    pub stop: CancellationToken,
}

impl Api {
    /// Serves a careen on these terms.
    pub fn new(app: Arc<App>, terms: Terms) -> Self {
        Self {
            frames: Arc::new(SharedFrames::new(app.ports.frames.clone())),
            feeds: Arc::default(),
            intake: Intake::start(app.clone()),
            refusals: Arc::new(Refusals::new(app.clone())),
            app,
            terms: Arc::new(terms),
            stop: CancellationToken::new(),
        }
    }
}
