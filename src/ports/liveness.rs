//! Telling whether the process that runs a run still lives.

/// Held for as long as a process drives a run; dropping it, or dying, lets go.
pub trait Held: Send + Sync {}

/// Marks runs as being driven, in a way that ends with the process and not before.
pub trait Liveness: Send + Sync {
    /// Marks a run as driven by this process; `None` when another process drives it.
    fn hold(&self, run: &str) -> std::io::Result<Option<Box<dyn Held>>>;
    /// Says whether some process drives a run.
    fn is_held(&self, run: &str) -> bool;
    /// Forgets a run that has ended.
    fn forget(&self, run: &str);
}
