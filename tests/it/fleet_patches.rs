//! A fleet of real images on a real registry: a base moves, and what stands on it is built once, in order.

use careen::fleet::image_name;
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
        self.careen
            .file(&format!("{name}/Dockerfile"), &self.place(lines));
        let folder = self.careen.path(name);
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
        self.careen.does(&words).exits(0);
    }

    /// Pushes an image by hand, as someone else would.
    fn push(&mut self, name: &str, lines: &[&str]) {
        self.careen
            .file(&format!("{name}/Dockerfile"), &self.place(lines));
        let folder = self.careen.path(name);
        let image = self.name(name);
        self.careen.keep_track(&image);
        let words = ["build", "-t", &image, "--quiet", folder.to_str().unwrap()];
        self.careen.does(&words).exits(0);
    }

    fn patch(&self, options: &[&str]) -> String {
        let words = [&["fleet", "patch"], options].concat();
        self.careen.does(&words).exits(0).stderr
    }

    /// The runs of a task, newest first.
    fn runs(&self, task: &str) -> Vec<Value> {
        let runs = self.careen.json(&["runs", "list", "--top", "0"]);
        let all = runs.as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|it| it["name"] == task).collect()
    }

    fn counts(&self, tasks: &[&str]) -> Vec<usize> {
        tasks.iter().map(|it| self.runs(it).len()).collect()
    }

    fn states(&self) -> Vec<(String, String)> {
        let nodes = self.careen.json(&["fleet", "status", "--all"]);
        let word = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let nodes = nodes.as_array().cloned().unwrap_or_default();
        nodes
            .iter()
            .map(|it| (word(it, "name"), word(it, "state")))
            .collect()
    }
}

/// A diamond on a base, and an image that takes of the base only what never changes.
fn diamond() -> Option<Fleet> {
    let mut fleet = Fleet::new()?;
    fleet.push(
        "base",
        &[
            "FROM busybox",
            "RUN echo same > /same",
            "RUN echo first > /release",
        ],
    );
    fleet.task("left", &["FROM @base", "RUN echo left > /left"]);
    fleet.task("right", &["FROM @base", "RUN echo right > /right"]);
    fleet.task("top", &["FROM @left", "COPY --from=@right /right /right"]);
    fleet.task("part", &["FROM scratch", "COPY --from=@base /same /same"]);
    fleet.task(
        "onpart",
        &["FROM scratch", "COPY --from=@part /same /other"],
    );
    Some(fleet)
}

const ALL: [&str; 5] = ["left", "right", "top", "part", "onpart"];

#[test]
fn a_base_that_moves_is_followed_once_in_order_and_only_as_far_as_content_changes() {
    let Some(mut fleet) = diamond() else {
        return;
    };
    fleet.patch(&["--all-stale"]);
    assert_eq!(fleet.counts(&ALL), [1; 5]);
    fleet.patch(&["--all-stale"]);
    assert_eq!(
        fleet.counts(&ALL),
        [1; 5],
        "what is fresh is not built again"
    );

    fleet.push(
        "base",
        &[
            "FROM busybox",
            "RUN echo same > /same",
            "RUN echo second > /release",
        ],
    );
    let base = fleet.name("base");
    let planned = fleet.careen.json(&["fleet", "plan", "--base", &base]);
    assert_eq!(planned["slots"].as_array().map(Vec::len), Some(5));
    fleet.patch(&["--base", &base, "--max-parallel", "2"]);
    assert_eq!(
        fleet.counts(&ALL),
        [2, 2, 2, 2, 1],
        "the wave stops where content is the same"
    );
    let states = fleet.states();
    assert!(
        states.iter().all(|(_, state)| state == "fresh"),
        "{states:?}"
    );

    let ran = |task: &str| fleet.runs(task)[0].clone();
    let (left, right, top) = (ran("left"), ran("right"), ran("top"));
    for parent in [&left, &right] {
        assert!(
            parent["ended_at"].as_str() <= top["created_at"].as_str(),
            "{parent} {top}"
        );
    }
    let id = top["id"].as_str().unwrap().to_owned();
    let why = fleet.careen.json(&["why", &id]);
    let complete = image_name(&base).unwrap();
    assert_eq!(
        why["trigger"]["details"]["origin"]["image"],
        complete.as_str()
    );
    let report = fleet.careen.json(&["fleet", "report"]);
    assert_eq!(
        (&report["stale"], report["patches"].as_u64() >= Some(4)),
        (&Value::from(0), true)
    );
}

#[test]
fn what_fails_holds_what_stands_on_it_and_is_tried_again_only_when_asked() {
    let Some(mut fleet) = Fleet::new() else {
        return;
    };
    fleet.push("base", &["FROM busybox", "RUN touch /good"]);
    fleet.task("mid", &["FROM @base", "RUN test -e /good"]);
    fleet.task("top", &["FROM @mid", "RUN touch /top"]);
    fleet.patch(&["--all-stale"]);
    fleet.push("base", &["FROM busybox", "RUN touch /bad"]);
    let stale = ["fleet", "patch", "--all-stale"];
    fleet
        .careen
        .does(&stale)
        .exits(1)
        .prints("top: mid is failed");
    fleet.careen.does(&stale).exits(1);
    assert_eq!(fleet.counts(&["mid", "top"]), [2, 1]);
    fleet
        .careen
        .does(&[&stale[..], &["--retry"]].concat())
        .exits(1);
    assert_eq!(fleet.counts(&["mid", "top"]), [3, 1]);

    fleet.push("base", &["FROM busybox", "RUN touch /good"]);
    fleet.patch(&["--all-stale"]);
    assert_eq!(
        fleet.counts(&["mid", "top"]),
        [3, 1],
        "the base was rolled back: nothing is built"
    );
}
