//! Fleets of real images on a real registry: a base moves, and what stands on it is built once, in order.

mod repositories;
mod rollouts;
mod waves;

use std::process::Command;

use serde_json::Value;

use crate::{
    careens::Careen,
    registries::{Kind, Server},
};

/// A careen, a registry, and the verbs of the story.
struct Fleet {
    careen: Careen,
    registry: Server,
}

impl Fleet {
    fn new() -> Option<Fleet> {
        let (careen, registry) = (Careen::on_docker()?, Server::start(Kind::Open)?);
        Some(Fleet { careen, registry })
    }

    fn name(&self, image: &str) -> String {
        format!("{}/fleet/{image}", self.registry.host)
    }

    fn place(&self, lines: &[&str]) -> String {
        let place = format!("{}/fleet/", self.registry.host);
        lines.join("\n").replace('@', &place)
    }

    /// Stores a task that builds and pushes an image of these lines; `@` is the fleet's place.
    fn task(&mut self, name: &str, lines: &[&str]) {
        self.task_with(name, lines, &[]);
    }

    /// The same, with more options.
    fn task_with(&mut self, name: &str, lines: &[&str], options: &[&str]) {
        self.careen
            .file(&format!("{name}/Dockerfile"), &self.place(lines));
        let folder = self.careen.path(&format!("context/{name}"));
        let (folder, image) = (folder.to_str().unwrap(), self.name(name));
        self.careen.keep_track(&image);
        let words = [
            "task",
            "create",
            name,
            "-c",
            folder,
            "-f",
            "Dockerfile",
            "-t",
            &image,
        ];
        self.careen.does(&[&words[..], options].concat()).exits(0);
    }

    /// Pushes an image by hand, as someone else would.
    fn push(&mut self, name: &str, lines: &[&str]) {
        self.careen
            .file(&format!("{name}/Dockerfile"), &self.place(lines));
        let folder = self.careen.path(&format!("context/{name}"));
        let image = self.name(name);
        self.careen.keep_track(&image);
        // Not through careen: nothing of this is to be in its record.
        let docker = |words: &[&str]| {
            let ran = Command::new("docker").args(words).output().expect("docker");
            assert!(ran.status.success(), "{ran:?}");
        };
        docker(&["build", "-q", "-t", &image, folder.to_str().unwrap()]);
        docker(&["push", "-q", &image]);
    }
}

/// The runs of a task, newest first.
fn runs(careen: &Careen, task: &str) -> Vec<Value> {
    let runs = careen.json(&["runs", "list", "--top", "500"]);
    let all = runs.as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|it| it["name"] == task).collect()
}

fn counts(careen: &Careen, tasks: &[&str]) -> Vec<usize> {
    tasks.iter().map(|it| runs(careen, it).len()).collect()
}

/// How each task stands that is not fresh.
fn stale(careen: &Careen) -> Vec<Value> {
    let tasks = careen.json(&["fleet", "status"]);
    tasks.as_array().cloned().unwrap_or_default()
}
