//! Log frames in files, one per log.
