//! Where credentials and secrets are kept.

use std::sync::Arc;

use crate::ports::{ConnectionStore, LoginHelpers, SecretStore};

/// Where credentials and secrets are kept.
#[derive(Clone)]
pub struct Credentials {
    /// Keeps connections.
    pub connections: Arc<dyn ConnectionStore>,
    /// Keeps secrets for tasks.
    pub secrets: Arc<dyn SecretStore>,
    /// Keep logins for the docker client.
    pub helpers: Arc<dyn LoginHelpers>,
}

impl Credentials {
    /// Keeps connections and secrets in one store.
    pub fn new(
        store: Arc<impl ConnectionStore + SecretStore + 'static>,
        helpers: Arc<dyn LoginHelpers>,
    ) -> Credentials {
        Credentials {
            connections: store.clone(),
            secrets: store,
            helpers,
        }
    }
}
