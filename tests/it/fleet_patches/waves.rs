//! Waves that a process of this machine drives, without a server.

use careen::fleet::image_name;
use serde_json::Value;

use super::{Fleet, counts, runs, stale};

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
    // Nothing comes from the cache: the image is made anew, and only its times are others.
    let part = ["FROM scratch", "COPY --from=@base /same /same"];
    fleet.task_with("part", &part, &["--no-cache"]);
    fleet.task(
        "onpart",
        &["FROM scratch", "COPY --from=@part /same /other"],
    );
    Some(fleet)
}

impl Fleet {
    fn patch(&self, options: &[&str]) -> String {
        let words = [&["fleet", "patch"], options].concat();
        self.careen.does(&words).exits(0).stderr
    }
}

const ALL: [&str; 5] = ["left", "right", "top", "part", "onpart"];

#[test]
fn a_base_that_moves_is_followed_once_in_order_and_only_as_far_as_content_changes() {
    let Some(mut fleet) = diamond() else {
        return;
    };
    fleet.patch(&["--all-stale"]);
    assert_eq!(counts(&fleet.careen, &ALL), [1; 5]);
    fleet.patch(&["--all-stale"]);
    assert_eq!(
        counts(&fleet.careen, &ALL),
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
        counts(&fleet.careen, &ALL),
        [2, 2, 2, 2, 1],
        "the wave stops where content is the same"
    );
    assert_eq!(stale(&fleet.careen), [Value::Null; 0]);
    let again = runs(&fleet.careen, "part")[0]["id"].clone();
    let log = fleet
        .careen
        .does(&["runs", "logs", again.as_str().unwrap()]);
    log.exits(0).prints("which has the same content");
    let report = fleet.careen.does(&["fleet", "report"]).exits(0);
    report.prints("gave the same content");

    let ran = |task: &str| runs(&fleet.careen, task)[0].clone();
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
    assert_eq!(counts(&fleet.careen, &["mid", "top"]), [2, 1]);
    fleet
        .careen
        .does(&[&stale[..], &["--retry"]].concat())
        .exits(1);
    assert_eq!(counts(&fleet.careen, &["mid", "top"]), [3, 1]);

    fleet.push("base", &["FROM busybox", "RUN touch /good"]);
    fleet.patch(&["--all-stale"]);
    assert_eq!(
        counts(&fleet.careen, &["mid", "top"]),
        [3, 1],
        "the base was rolled back: nothing is built"
    );
}
