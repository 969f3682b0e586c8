//! Connections and secrets kept in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::ports::{
    Connection, ConnectionStore, LoginHelpers, PasswordSource, RegistryLogin, Sealed, SecretStore,
    StoreError, StoredSecret,
};

/// Keeps connections and secrets, gone with this value.
#[derive(Default)]
pub struct MemoryCredentials {
    connections: Mutex<BTreeMap<String, Connection>>,
    secrets: Mutex<BTreeMap<String, StoredSecret>>,
}

impl MemoryCredentials {
    /// Makes an empty one.
    pub fn new() -> MemoryCredentials {
        MemoryCredentials::default()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl ConnectionStore for MemoryCredentials {
    async fn add_connection(&self, connection: &Connection) -> Result<bool, StoreError> {
        let mut all = lock(&self.connections);
        if all.contains_key(&connection.name) {
            return Ok(false);
        }
        all.insert(connection.name.clone(), connection.clone());
        Ok(true)
    }

    async fn update_connection(&self, connection: &Connection) -> Result<bool, StoreError> {
        let mut all = lock(&self.connections);
        let is_own = |it: &Connection| it.id == connection.id;
        let taken = all.get(&connection.name).is_some_and(|it| !is_own(it));
        let old = all.values().find(|it| is_own(it)).map(|it| it.name.clone());
        let (Some(old), false) = (old, taken) else {
            return Ok(false);
        };
        all.remove(&old);
        all.insert(connection.name.clone(), connection.clone());
        Ok(true)
    }

    async fn reseal_connection(
        &self,
        id: &str,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<bool, StoreError> {
        let mut all = lock(&self.connections);
        let old = PasswordSource::Sealed(from.clone());
        let mut there = all.values_mut();
        let there = there.find(|it| it.id == id && it.password == old);
        let is_there = there.is_some();
        if let Some(connection) = there {
            connection.password = PasswordSource::Sealed(to.clone());
        }
        Ok(is_there)
    }

    async fn remove_connection(&self, name: &str) -> Result<bool, StoreError> {
        Ok(lock(&self.connections).remove(name).is_some())
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        Ok(lock(&self.connections).values().cloned().collect())
    }
}

#[async_trait]
impl SecretStore for MemoryCredentials {
    async fn set_secret(&self, secret: &StoredSecret) -> Result<(), StoreError> {
        lock(&self.secrets).insert(secret.name.clone(), secret.clone());
        Ok(())
    }

    async fn reseal_secret(
        &self,
        name: &str,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<bool, StoreError> {
        let mut all = lock(&self.secrets);
        let there = all.get_mut(name).filter(|it| it.sealed == *from);
        let is_there = there.is_some();
        if let Some(secret) = there {
            secret.sealed.clone_from(to);
        }
        Ok(is_there)
    }

    async fn remove_secret(&self, name: &str) -> Result<bool, StoreError> {
        Ok(lock(&self.secrets).remove(name).is_some())
    }

    async fn stored_secrets(&self) -> Result<Vec<StoredSecret>, StoreError> {
        Ok(lock(&self.secrets).values().cloned().collect())
    }
}

/// No helper programs.
#[async_trait]
impl LoginHelpers for MemoryCredentials {
    async fn login(&self, _host: &str) -> Result<Option<RegistryLogin>, String> {
        Ok(None)
    }

    async fn hosts(&self) -> Vec<String> {
        Vec::new()
    }
}
