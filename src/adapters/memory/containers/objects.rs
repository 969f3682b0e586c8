//! Networks and volumes of the engine in memory, and lists of all its objects.

use crate::ports::{EngineError, Found, Labels, NetworkMode, NetworkSpec, Resource, VolumeSpec};

use super::{
    files::Files,
    state::{State, Volume, mounted_volumes},
};

impl State {
    /// Makes a network, if its name is free.
    pub(super) fn create_network(&mut self, network: &NetworkSpec) -> Result<String, EngineError> {
        let name = network.name.clone();
        if self.networks.contains_key(&name) {
            return Err(EngineError::NameConflict(name));
        }
        self.networks.insert(name.clone(), network.clone());
        Ok(name)
    }

    /// Removes a network that nothing running is in.
    pub(super) fn remove_network(&mut self, name: &str) -> Result<(), EngineError> {
        self.settle();
        let is_in = |network: &NetworkMode| matches!(network, NetworkMode::Named { name: of, .. } if of == name);
        if let Some(user) = self
            .running()
            .find(|container| is_in(&container.spec.network))
        {
            let message = format!("network {name} has active endpoints: {}", user.spec.name);
            return Err(EngineError::InUse(message));
        }
        self.networks.remove(name);
        Ok(())
    }

    /// Makes a volume, unless there is one of that name with other labels.
    pub(super) fn create_volume(&mut self, volume: &VolumeSpec) -> Result<(), EngineError> {
        let name = volume.name.clone();
        let made = self.volumes.entry(name.clone()).or_insert_with(|| Volume {
            labels: volume.labels.clone(),
            files: Files::default(),
        });
        if made.labels == volume.labels {
            Ok(())
        } else {
            Err(EngineError::NameConflict(name))
        }
    }

    /// Removes a volume that no container mounts.
    pub(super) fn remove_volume(&mut self, name: &str) -> Result<(), EngineError> {
        let mut containers = self.containers.values();
        let user =
            containers.find(|container| mounted_volumes(&container.spec).any(|of| of == name));
        if let Some(user) = user {
            let message = format!("volume {name} is in use by {}", user.spec.name);
            return Err(EngineError::InUse(message));
        }
        self.volumes.remove(name);
        Ok(())
    }

    /// Finds the objects that bear all these labels.
    pub(super) fn list(&self, resource: Resource, labels: &Labels) -> Vec<Found> {
        let found = |id: &str, name: &str, of: &Labels| Found {
            resource,
            id: id.to_string(),
            name: name.to_string(),
            labels: of.clone(),
        };
        let bears = |of: &Labels| {
            labels
                .iter()
                .all(|(name, value)| of.get(name) == Some(value))
        };
        let containers = self
            .containers
            .values()
            .map(|container| (&container.id, &container.spec));
        let containers = containers.filter(|(_, spec)| bears(&spec.labels));
        let networks = self
            .networks
            .values()
            .filter(|network| bears(&network.labels));
        let volumes = self
            .volumes
            .iter()
            .filter(|(_, volume)| bears(&volume.labels));
        match resource {
            Resource::Container => containers
                .map(|(id, spec)| found(id, &spec.name, &spec.labels))
                .collect(),
            Resource::Network => networks
                .map(|of| found(&of.name, &of.name, &of.labels))
                .collect(),
            Resource::Volume => volumes
                .map(|(name, of)| found(name, name, &of.labels))
                .collect(),
        }
    }
}
