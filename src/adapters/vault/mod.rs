//! Seals values under a key kept in a file.
