//! Counts what is reported as trouble, for `/metrics`.

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

/// Counts the events that reach it, by their level.
pub(super) struct Problems;

impl<S: Subscriber> Layer<S> for Problems {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            _ => "warning",
        };
        metrics::counter!("careen_problems_total", "level" => level).increment(1);
    }
}
