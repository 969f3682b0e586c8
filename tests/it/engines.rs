//! The Docker Engines that tests run on: this machine's, and the newer ones that `./dev setup newer-engine` brings up.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use bollard::{API_DEFAULT_VERSION, Docker};
use careen::{adapters::docker::DockerEngine, ports::Containers};

use crate::careens::wait_for;

/// Keeps images as older engines do.
pub const CLASSIC: &str = "classic";
/// Keeps images in containerd's store.
pub const CONTAINERD: &str = "containerd";
/// There to be restarted and broken; one test at a time.
pub const FRAGILE: &str = "fragile";

/// An engine, by the environment variables that lead to it.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    /// What is set for it in place of this process's own variables.
    pub variables: BTreeMap<String, String>,
    /// What `./dev` wrote down of a newer one.
    facts: BTreeMap<String, String>,
    is_newer: bool,
}

impl Engine {
    /// This machine's engine; `None`, said aloud, when none answers.
    pub async fn local() -> Option<Engine> {
        Engine::default()
            .if_it_answers("CAREEN_TEST_DOCKER", "no Docker Engine")
            .await
    }

    /// A newer engine, over TLS; `None`, said aloud, when it is not up.
    pub async fn newer(kind: &str) -> Option<Engine> {
        let folder = std::env::var("CAREEN_DEV_DIR").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/.dev").into());
        let text = std::fs::read_to_string(folder.join("newer-engine").join(kind));
        let text = text.unwrap_or_default();
        let facts = text.lines().filter_map(|line| line.split_once('='));
        let facts = facts.map(|(name, value)| (name.to_string(), value.to_string()));
        let mut engine = Engine {
            variables: BTreeMap::new(),
            facts: facts.collect(),
            is_newer: true,
        };
        engine
            .facts
            .entry("host".to_string())
            .or_insert("unix:///nowhere".to_string());
        engine.set("DOCKER_HOST", &engine.fact("host"));
        engine.set("DOCKER_TLS_VERIFY", "1");
        engine.set("DOCKER_CERT_PATH", &engine.fact("certificates"));
        let missing = "no newer engine; `./dev setup newer-engine` brings it up";
        engine
            .if_it_answers("CAREEN_TEST_NEWER_ENGINE", missing)
            .await
    }

    async fn if_it_answers(self, variable: &str, missing: &str) -> Option<Engine> {
        match self.connect().info().await {
            Ok(_) => Some(self),
            Err(error) => {
                let required = std::env::var(variable).is_ok_and(|value| value == "required");
                assert!(!required, "{variable}=required: {error}");
                println!("skipped: {missing}");
                None
            }
        }
    }

    /// The same engine over SSH, as `user` of its machine.
    pub fn over_ssh(&self, user: &str) -> Engine {
        let mut engine = self.clone();
        engine.set("DOCKER_HOST", &format!("ssh://{user}@{}", self.fact("ssh")));
        let path = std::env::var("PATH").unwrap_or_default();
        engine.set("PATH", &format!("{}:{path}", self.fact("ssh_program")));
        engine
    }

    /// Something that `./dev` wrote down of a newer engine; empty when it is not known.
    pub fn fact(&self, name: &str) -> String {
        self.facts.get(name).cloned().unwrap_or_default()
    }

    /// Sets a variable for what is run on it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_string(), value.to_string());
    }

    /// careen's way to it, from within the tests: over TLS, however careen itself goes.
    pub fn connect(&self) -> DockerEngine {
        let lead = |name: &str| match name {
            "DOCKER_HOST" => self.facts.get("host").cloned(),
            "DOCKER_TLS_VERIFY" => Some("1".to_string()),
            "DOCKER_CERT_PATH" => self.facts.get("certificates").cloned(),
            _ => None,
        };
        let engine = match self.is_newer {
            true => DockerEngine::connect_as(None, lead),
            false => DockerEngine::connect(None),
        };
        engine.expect("DOCKER_HOST is an address")
    }

    /// Another way to it, to look at what careen did.
    pub fn client(&self) -> Docker {
        if !self.is_newer {
            return Docker::connect_with_defaults().expect("a client");
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = PathBuf::from(self.fact("certificates"));
        let file = |name: &str| folder.join(name);
        let host = self.fact("host");
        let (key, certificate, authority) = (file("key.pem"), file("cert.pem"), file("ca.pem"));
        Docker::connect_with_ssl(
            &host,
            &key,
            &certificate,
            &authority,
            120,
            API_DEFAULT_VERSION,
        )
        .expect("a client")
    }

    /// Says whether it answers.
    pub fn is_up(&self) -> bool {
        wait_for(async { self.connect().info().await.is_ok() })
    }

    /// Does a command on the engine's own machine.
    pub fn inside(&self, words: &[&str]) -> String {
        let container = self.fact("container");
        let command = [&["exec", &container], words].concat();
        let done = Command::new("docker")
            .args(command)
            .output()
            .expect("docker");
        assert!(done.status.success(), "{words:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}
