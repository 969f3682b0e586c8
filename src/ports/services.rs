//! What careen needs of the engine that places processes on machines.

use async_trait::async_trait;

use super::EngineError;

/// Knows how many processes of a service there are to be.
#[async_trait]
pub trait Services: Send + Sync {
    /// Says how many replicas a service is to have.
    async fn replicas(&self, service: &str) -> Result<u64, EngineError>;
    /// Sets how many it is to have, unless someone has changed the service meanwhile.
    async fn set_replicas(&self, service: &str, replicas: u64) -> Result<(), EngineError>;
}
