//! What tests order and count.

use std::sync::Arc;

use crate::ports::{EngineError, RegistryLogin, Resource};

use super::{Behaviour, Call, MemoryEngine};

impl MemoryEngine {
    /// Puts an image on the engine.
    pub fn add_image(&self, reference: &str) {
        self.state().images.add(reference);
    }

    /// Puts an image into a registry, to be pulled.
    pub fn add_remote_image(&self, reference: &str) {
        self.state().images.remote.insert(reference.to_string());
    }

    /// Takes any image for one that is here.
    pub fn any_image(&self) {
        self.state().images.any = true;
    }

    /// Makes a registry refuse everybody but this login.
    pub fn require_login(&self, login: &RegistryLogin) {
        let server = login.server.clone();
        self.state().images.logins.insert(server, login.clone());
    }

    /// Tells how containers with this `careen.step` label, or of this image, behave; it wins over their environment.
    pub fn behave(&self, step_or_image: &str, behaviour: Behaviour) {
        let key = step_or_image.to_string();
        self.state().behaviours.insert(key, Arc::new(behaviour));
    }

    /// Counts the calls that succeeded for containers with this `careen.step` label.
    pub fn count(&self, call: Call, step: &str) -> usize {
        let state = self.state();
        let calls = state
            .calls
            .iter()
            .filter(|(key, _)| key.0 == call && key.1 == step);
        calls.map(|(_, count)| count).sum()
    }

    /// Counts those of one attempt, by the `careen.attempt` label.
    pub fn count_attempt(&self, call: Call, step: &str, attempt: &str) -> usize {
        let key = (call, step.to_string(), attempt.to_string());
        self.state().calls.get(&key).copied().unwrap_or(0)
    }

    /// Names the steps in the order of their starts.
    pub fn started_steps(&self) -> Vec<String> {
        self.state().started_steps.clone()
    }

    /// Says how many containers ran at most at the same time.
    pub fn most_running(&self) -> usize {
        self.state().most_running
    }

    /// Names what was pushed, with the image ids.
    pub fn pushed(&self) -> Vec<(String, String)> {
        self.state().images.pushed.clone()
    }

    /// Names all containers, networks and volumes that are there.
    pub fn left_over(&self) -> Vec<(Resource, String)> {
        let state = self.state();
        let containers = state
            .containers
            .values()
            .map(|container| container.spec.name.clone());
        let all = containers.map(|name| (Resource::Container, name));
        let networks = state
            .networks
            .keys()
            .map(|name| (Resource::Network, name.clone()));
        let volumes = state
            .volumes
            .keys()
            .map(|name| (Resource::Volume, name.clone()));
        let mut all: Vec<_> = all.chain(networks).chain(volumes).collect();
        all.sort();
        all
    }

    /// Makes the next so many calls of this kind fail.
    pub fn fail(&self, call: Call, times: usize, error: EngineError) {
        self.inner.faults.fail(call, times, error);
    }

    /// Leaves calls of this kind without an answer.
    pub fn stall(&self, call: Call) {
        self.inner.faults.stall(call, true);
    }

    /// Answers the stalled calls of this kind, and those to come.
    pub fn resume(&self, call: Call) {
        self.inner.faults.stall(call, false);
    }

    /// Breaks the calls under way and refuses new ones; the containers run on.
    pub fn break_connection(&self) {
        self.inner.faults.break_connection(false);
    }

    /// Answers again after a broken connection.
    pub fn restore_connection(&self) {
        self.inner.faults.restore_connection();
    }

    /// Restarts the engine: the calls under way break, the running containers end with 137.
    pub fn restart(&self) {
        self.inner.faults.break_connection(true);
        self.state().restart();
    }
}
