//! Drives one run to its end: waits, advances, records, acts.
//!
//! One task owns the state; attempts are tasks of their own that only send messages to it. Nothing is done that was
//! not first recorded: the loop drains what has happened, advances through it, writes one transaction, then acts.

mod acting;
mod attempt;
mod bases;
mod build_files;
mod build_logins;
mod build_secrets;
mod build_tries;
mod building;
mod carrier;
mod container;
mod contexts;
mod digests;
mod dispatch;
mod examine;
mod explain;
mod gate;
mod grants;
mod health;
mod hiding;
mod images;
mod job;
mod lease;
mod logging;
mod making;
mod names;
mod networks;
mod outage;
mod outputs;
mod packing;
mod pushing;
mod record;
mod recover;
mod registry_faults;
mod setup;
mod tidy;
mod timers;
mod unchanged;
mod unchanged_lists;
mod watcher;
mod wishes;

pub use contexts::{local_build, local_builds, recorded_pins};
pub use digests::{Digest, Lookup};
pub use dispatch::{RunError, run};
pub use examine::{Examination, Finding, examine};
pub use explain::hint;
pub use grants::{Denied, denied};
pub use job::{Job, Kept, Limits, OutputRequest, Ports, named_images};
pub use lease::LEASE;
pub use names::{
    LABEL_ATTEMPT, LABEL_GENERATION, LABEL_POSITION, LABEL_RUN, LABEL_STEP, LABEL_STORE,
};
pub use tidy::{remove_all, remove_lost};
pub use unchanged_lists::HeldList;
pub use watcher::{Change, LogLine, Watcher};
pub use wishes::Wishes;
