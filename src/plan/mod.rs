//! Turns a Task into a Plan, the checked graph of its steps.
