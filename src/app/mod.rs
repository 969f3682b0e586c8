//! The use cases: plain verbs on tasks and runs.
