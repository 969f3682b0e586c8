//! What the engine in memory holds.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::ports::{ContainerSpec, EngineError, Labels, NetworkMode, NetworkSpec};

use super::{Behaviour, Call, container::Container, files::Files, images::ImageShelf};

/// A volume.
#[derive(Debug, Default)]
pub(super) struct Volume {
    pub(super) labels: Labels,
    pub(super) files: Files,
}

/// Everything the engine holds.
#[derive(Debug)]
pub(super) struct State {
    pub(super) engine_id: String,
    /// By id.
    pub(super) containers: HashMap<String, Arc<Container>>,
    /// Ids by name.
    pub(super) names: HashMap<String, String>,
    /// Those that run, by the moment of their end.
    pub(super) running: BTreeSet<(Instant, String)>,
    pub(super) networks: BTreeMap<String, NetworkSpec>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) images: ImageShelf,
    pub(super) behaviours: HashMap<String, Arc<Behaviour>>,
    /// Calls by kind, step and attempt.
    pub(super) calls: HashMap<(Call, String, String), usize>,
    /// Starts by run and step.
    pub(super) starts: HashMap<(String, String), u32>,
    pub(super) started_steps: Vec<String>,
    pub(super) most_running: usize,
    pub(super) started_at: DateTime<Utc>,
    /// A moment by both clocks, to tell the time when tokio's is paused.
    noon: (Instant, DateTime<Utc>),
    last_id: u64,
}

impl State {
    /// Starts an engine that holds nothing.
    pub(super) fn new() -> State {
        let now = Utc::now();
        State {
            engine_id: format!("memory-{}", uuid::Uuid::new_v4().simple()),
            containers: HashMap::new(),
            names: HashMap::new(),
            running: BTreeSet::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            images: ImageShelf::default(),
            behaviours: HashMap::new(),
            calls: HashMap::new(),
            starts: HashMap::new(),
            started_steps: Vec::new(),
            most_running: 0,
            started_at: now,
            noon: (Instant::now(), now),
            last_id: 0,
        }
    }

    /// The time of day at a moment of tokio's clock.
    pub(super) fn time_of(&self, moment: Instant) -> DateTime<Utc> {
        let passed = moment.saturating_duration_since(self.noon.0);
        self.noon.1 + TimeDelta::from_std(passed).unwrap_or_default()
    }

    /// Finds a container by id or name.
    pub(super) fn find(&self, id: &str) -> Result<Arc<Container>, EngineError> {
        let by_id = self.containers.get(id);
        let found = by_id.or_else(|| self.containers.get(self.names.get(id)?));
        found
            .cloned()
            .ok_or_else(|| EngineError::NotFound(format!("container {id}")))
    }

    /// Makes a container, if its name is free and its image is here.
    pub(super) fn create(&mut self, spec: &ContainerSpec) -> Result<String, EngineError> {
        if self.names.contains_key(&spec.name) {
            return Err(EngineError::NameConflict(spec.name.clone()));
        }
        let image = self.images.find(&spec.image);
        let image = image.ok_or_else(|| EngineError::ImageNotFound {
            reference: spec.image.clone(),
            reason: "it is not on the engine".to_string(),
        })?;
        for name in mounted_volumes(spec) {
            self.volumes.entry(name.to_string()).or_default();
        }
        self.last_id += 1;
        let id = format!("{:064x}", self.last_id);
        let behaviour = self.behaviour_of(spec);
        let container = Container::new(id.clone(), spec.clone(), image.id, behaviour);
        self.containers.insert(id.clone(), Arc::new(container));
        self.names.insert(spec.name.clone(), id.clone());
        self.count(Call::Create, spec);
        Ok(id)
    }

    /// Starts a container.
    pub(super) fn start(&mut self, container: &Container) -> Result<(), EngineError> {
        let spec = &container.spec;
        match container.behaviour.start_error {
            Some(127) => return Err(EngineError::CommandNotFound(spec.command.join(" "))),
            Some(_) => return Err(EngineError::CommandNotExecutable(spec.command.join(" "))),
            None => {}
        }
        if let NetworkMode::Named { name, .. } = &spec.network
            && !self.networks.contains_key(name)
        {
            return Err(EngineError::NotFound(format!("network {name}")));
        }
        self.settle();
        self.check_ports(spec)?;
        let number = self
            .starts
            .entry((label(spec, "careen.run"), step(spec)))
            .or_default();
        *number += 1;
        let code = container.behaviour.exit_code_of(*number);
        if let Some((path, text)) = &container.behaviour.file {
            self.write(container, path, text);
        }
        let now = Instant::now();
        if container.start((now, self.time_of(now)), code) {
            let until = now + container.behaviour.sleep;
            self.running.insert((until, container.id.clone()));
            self.most_running = self.most_running.max(self.running.len());
            self.started_steps.push(step(spec));
            self.count(Call::Start, spec);
        }
        Ok(())
    }

    /// Ends a container before its time, if it runs.
    pub(super) fn end(&mut self, container: &Container, code: i64) {
        if container.is_running() {
            container.end(code, self.time_of(Instant::now()));
            self.running.retain(|(_, id)| *id != container.id);
        }
    }

    /// Forgets a container, ending it first.
    pub(super) fn remove(&mut self, container: &Container) {
        self.end(container, 137);
        self.names.remove(&container.spec.name);
        if self.containers.remove(&container.id).is_some() {
            self.count(Call::Remove, &container.spec);
        }
    }

    /// Ends everything that runs.
    pub(super) fn restart(&mut self) {
        let running: Vec<_> = self.running().cloned().collect();
        for container in running {
            self.end(&container, 137);
        }
        // Later than anything that ended before, even when no time has passed.
        self.started_at = self.time_of(Instant::now()) + Duration::from_nanos(1);
    }

    /// Forgets to count as running what has ended.
    pub(super) fn settle(&mut self) {
        let now = Instant::now();
        while self.running.first().is_some_and(|(until, _)| *until <= now) {
            self.running.pop_first();
        }
    }

    /// The containers that run, as last settled.
    pub(super) fn running(&self) -> impl Iterator<Item = &Arc<Container>> {
        self.running
            .iter()
            .filter_map(|(_, id)| self.containers.get(id))
    }

    fn behaviour_of(&self, spec: &ContainerSpec) -> Arc<Behaviour> {
        let by_step = self.behaviours.get(&step(spec));
        let ordered = by_step.or_else(|| self.behaviours.get(&spec.image));
        ordered.cloned().unwrap_or_else(|| {
            let variables = spec.env.iter().map(String::as_str);
            Arc::new(Behaviour::from_environment(variables))
        })
    }

    fn check_ports(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        for wanted in spec
            .published_ports
            .iter()
            .filter(|port| port.host_port.is_some())
        {
            let holds = |container: &&Arc<Container>| {
                let mut ports = container.spec.published_ports.iter();
                ports.any(|port| {
                    (port.host_port, &port.host_address) == (wanted.host_port, &wanted.host_address)
                })
            };
            if let Some(holder) = self.running().find(holds) {
                return Err(EngineError::PortTaken {
                    port: format!("{}:{}", wanted.host_address, wanted.host_port.unwrap_or(0)),
                    holder: Some(format!("container {}", holder.spec.name)),
                });
            }
        }
        Ok(())
    }

    fn count(&mut self, call: Call, spec: &ContainerSpec) {
        let key = (call, step(spec), label(spec, "careen.attempt"));
        *self.calls.entry(key).or_default() += 1;
    }
}

/// The volumes that a container mounts.
pub(super) fn mounted_volumes(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    spec.mounts.iter().filter_map(|mount| match &mount.source {
        crate::ports::MountSource::Volume(name) => Some(name.as_str()),
        _ => None,
    })
}

fn step(spec: &ContainerSpec) -> String {
    label(spec, "careen.step")
}

fn label(spec: &ContainerSpec, name: &str) -> String {
    spec.labels.get(name).cloned().unwrap_or_default()
}
