//! Speaks to a careen server: the same verbs as here, done there.

mod bases;
mod call;
mod contexts;
mod fleet;
mod hooks;
mod runs;
mod stream;
mod tasks;
mod timers;
mod workers;

pub use call::Client;
pub use stream::{Message, Messages};
