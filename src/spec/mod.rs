//! Turns the text of a task file into a checked Task.
