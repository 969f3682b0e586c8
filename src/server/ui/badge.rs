//! How things stand, as colour, shape and word at once.

use maud::{Markup, html};

use crate::{
    engine::{RunStatus, StepStatus},
    fleet::State,
};

/// What a status looks like: steps and runs share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// The class that gives it its colour.
    pub class: &'static str,
    /// The word.
    pub word: &'static str,
    shape: Shape,
}

/// A shape, drawn in a square of 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    name: &'static str,
    path: &'static str,
}

/// All shapes, for a drawing that shows each many times by [`Look::placed`].
pub(super) fn shapes() -> Markup {
    html! { defs { @for it in SHAPES { path id={ "shape-" (it.name) } d=(it.path) {} } } }
}

impl Look {
    /// The shape in a drawing that has [`shapes`]; said as its word unless that stands beside it.
    pub fn placed(self, is_said: bool) -> Markup {
        let href = format!("#shape-{}", self.shape.name);
        match is_said {
            true => html! { use class="shape" href=(href) {} },
            false => html! { use class="shape" href=(href) role="img" aria-label=(self.word) {} },
        }
    }

    /// The shape as a picture of its own.
    pub fn icon(self) -> Markup {
        html! {
            svg class={ "icon " (self.class) } width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" {
                path class="shape" d=(self.shape.path) {}
            }
        }
    }

    /// Shape and word.
    pub fn badge(self) -> Markup {
        html! { span class={ "badge " (self.class) } { (self.icon()) (self.word) } }
    }
}

impl From<RunStatus> for Look {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Queued => look("waiting", "queued", RING),
            RunStatus::Preparing => look("running", "preparing", PLAY),
            RunStatus::Running => look("running", "running", PLAY),
            RunStatus::Succeeded => look("succeeded", "succeeded", CHECK),
            RunStatus::Failed => look("failed", "failed", CROSS),
            RunStatus::Errored => look("errored", "errored", BANG),
            RunStatus::TimedOut => look("timed-out", "timed out", CLOCK),
            RunStatus::Canceled => look("canceled", "canceled", STOP),
        }
    }
}

impl From<StepStatus> for Look {
    fn from(status: StepStatus) -> Self {
        match status {
            StepStatus::Waiting => look("waiting", "waiting", RING),
            StepStatus::Running => look("running", "running", PLAY),
            StepStatus::Succeeded => look("succeeded", "succeeded", CHECK),
            StepStatus::Failed => look("failed", "failed", CROSS),
            StepStatus::Errored => look("errored", "errored", BANG),
            StepStatus::TimedOut => look("timed-out", "timed out", CLOCK),
            StepStatus::Canceled => look("canceled", "canceled", STOP),
            StepStatus::Skipped => look("skipped", "skipped", DASH),
        }
    }
}

/// An image of the fleet: what is not fresh stands out.
impl From<&State> for Look {
    fn from(state: &State) -> Self {
        match state {
            State::Watched => look("watched", "watched", RING),
            State::Unseen => look("errored", "never seen", BANG),
            State::Fresh => look("succeeded", "fresh", CHECK),
            State::Ready(_) => look("stale", "stale", CLOCK),
            State::Building { .. } => look("running", "building", PLAY),
            State::Failed { .. } => look("failed", "failed", CROSS),
            State::Held { is_stuck: true, .. } => look("stuck", "stuck", STOP),
            State::Held { .. } => look("stale", "stale, held", DASH),
        }
    }
}

const fn look(class: &'static str, word: &'static str, shape: Shape) -> Look {
    Look { class, word, shape }
}

const SHAPES: [Shape; 8] = [RING, PLAY, CHECK, CROSS, BANG, CLOCK, STOP, DASH];
const RING: Shape = shape(
    "ring",
    "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M8 3.6a4.4 4.4 0 1 0 0 8.8a4.4 4.4 0 1 0 0-8.8",
);
const PLAY: Shape = shape("play", "M4 2.5v11l9.5-5.5z");
const CHECK: Shape = shape("check", "M13.6 3.6 6.4 11 2.9 7.6 1.6 8.9l4.8 4.7L15 4.9z");
const CROSS: Shape = shape(
    "cross",
    "M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8 14 12.6 12.6 14 8 9.4 3.4 14 2 12.6 6.6 8 2 3.4z",
);
const BANG: Shape = shape(
    "bang",
    "M8 1 15.5 14.5H.5zM7.2 5.8v4.4h1.6V5.8zM7.2 11.4V13h1.6v-1.6z",
);
const CLOCK: Shape = shape(
    "clock",
    "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13M7.2 4v4.5l3.2 2 .8-1.3-2.4-1.5V4z",
);
const STOP: Shape = shape("stop", "M3 3h10v10H3z");
const DASH: Shape = shape("dash", "M2 7h12v2H2z");

const fn shape(name: &'static str, path: &'static str) -> Shape {
    Shape { name, path }
}
