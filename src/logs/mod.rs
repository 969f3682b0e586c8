//! Packs log lines into compressed frames and finds them again.
