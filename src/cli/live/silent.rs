//! A run of which nothing is shown but what went wrong beside its steps.

use crate::{
    ports::Progress,
    runner::{Change, LogLine, Watcher},
};

/// Says only what belongs to no step and would otherwise be known to nobody.
pub(super) struct Silent;

impl Watcher for Silent {
    fn changed(&self, _: &Change<'_>) {}

    fn line(&self, _: LogLine) {}

    fn progress(&self, _: u32, _: Progress) {}

    fn note(&self, text: &str) {
        anstream::eprintln!("{text}");
    }
}
