//! What the properties of a step mean for its run, told as short stories of the state machine.

mod story;

mod endings;
mod order;
mod services;
mod trying_again;
