//! The pure state machine of a run: what happened goes in, what to do comes out.
//!
//! ```text
//! Waiting → Delayed → Ready → Pulling → Starting → Running → Ended
//!                       ↑         ↘        ↑  ↓        ↓
//!                  (limit frees)  PullDelayed RetryDelayed   AwaitingHealth, Stopping
//! ```
//!
//! The state is the fold of the recorded events; nothing here reads a clock, waits or draws at random.

mod advance;
mod ending;
mod event;
mod judge;
mod recover;
mod schedule;
mod state;
mod status;
mod steps;
mod turn;
mod view;

#[cfg(test)]
mod tests;

pub use advance::{IllegalEvent, advance};
pub use ending::{Ending, Fault, FaultKind, Outcome, Verdict};
pub use event::{Action, Event, Millis, Timer};
pub use recover::Expected;
pub use state::{Phase, RunState, Settings, StepProgress, StepState, StopReason};
pub use status::{RunStatus, StepStatus};
pub use view::KEPT_FROM;
