//! Rollouts, estimates, reports and pictures of small fleets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{super::*, World, at, graph};

fn rollout(tasks: &[&str]) -> Rollout {
    Rollout {
        id: "r".to_owned(),
        tasks: tasks.iter().map(|it| (*it).to_owned()).collect(),
        max_parallel: None,
        canary: None,
        state: RolloutState::Running,
        since: at(0),
    }
}

fn names(fleet: &Fleet, rollouts: &[Rollout]) -> Vec<String> {
    admitted(fleet, rollouts)
        .iter()
        .map(|it| it.task().to_owned())
        .collect()
}

#[test]
fn a_rollout_keeps_to_its_tasks_and_its_limits() {
    let mut world = World::of(&["a: base", "b: base", "c: base", "d: base"]);
    world.see("base", "b1");
    let mut all = rollout(&["a", "b", "c"]);
    assert_eq!(names(&world.fleet, &[all.clone()]), ["a", "b", "c"]);
    all.max_parallel = Some(2);
    world.begin("a");
    assert_eq!(names(&world.fleet, &[all.clone()]), ["b"]);
    assert_eq!(
        names(&world.fleet, &[all.clone(), rollout(&["b", "d"])]),
        ["b", "d"]
    );
    for state in [RolloutState::Paused, RolloutState::Canceled] {
        all.state = state;
        assert_eq!(names(&world.fleet, &[all.clone()]), [""; 0]);
    }
    let progress = all.progress(&world.fleet);
    assert_eq!(
        (progress.building, progress.ready, progress.is_over()),
        (1, 2, false)
    );
}

#[test]
fn the_canary_goes_first_with_what_it_stands_on() {
    let mut world = World::of(&["a: base", "b: base", "canary: a"]);
    world.see("base", "b1");
    let all = [Rollout {
        canary: Some("canary".to_owned()),
        ..rollout(&["a", "b", "canary"])
    }];
    assert_eq!(names(&world.fleet, &all), ["a"]);
    world.build("a", "a1");
    assert_eq!(names(&world.fleet, &all), ["canary"]);
    world.fail("canary");
    assert_eq!(names(&world.fleet, &all), [""; 0]);
    let (task, at) = ("canary".to_owned(), world.now());
    world.fleet.learn(&Fact::Raised {
        task,
        key: None,
        epoch: 1,
        at,
    });
    world.build("canary", "c1");
    assert_eq!(names(&world.fleet, &all), ["b"]);
}

#[test]
fn an_estimate_follows_the_longest_row_within_the_places_there_are() {
    let graph = graph(&["a: base", "b: base", "c: a b", "d: base"]).unwrap();
    let tasks = graph.tasks_of(graph.order()).collect::<Vec<_>>();
    let seconds = |task: &str| if task == "b" { 5 } else { 2 };
    let wide = estimate(&graph, &tasks, seconds, None);
    assert_eq!(
        (wide.total_seconds, wide.critical_path),
        (7, vec!["b".to_owned(), "c".to_owned()])
    );
    let narrow = estimate(&graph, &tasks, seconds, Some(1));
    assert_eq!(narrow.total_seconds, 11);
    let order: Vec<&str> = narrow.slots.iter().map(|it| it.task.as_str()).collect();
    assert_eq!(order, ["b", "a", "c", "d"]);
}

#[test]
fn the_report_counts_from_the_move_of_the_base_to_the_push() {
    let mut world = World::diamond();
    world.see("base", "b2");
    let moved = world.seconds;
    world.build("left", "left2");
    let left = world.seconds - moved;
    world.build("right", "right2");
    let right = world.seconds - moved;
    let report = world.fleet.report(at(world.seconds), Some(at(moved)));
    assert_eq!(report.patches, 2);
    assert_eq!(
        (report.median_seconds, report.p95_seconds),
        (Some(left), Some(right))
    );
    assert_eq!(report.stale, 1);
    let page = report.markdown();
    assert!(
        page.contains("| app | docker.io/library/left:latest (left1)<br>"),
        "{page}"
    );
    assert!(
        report
            .text()
            .contains("app: docker.io/library/left:latest moved from left1 to left2; it is next")
    );
}

#[test]
fn a_lineage_is_what_a_node_stands_on_and_what_stands_on_it_the_nearest_first() {
    let world = World::of(&["a: base", "b: a", "c: b", "d: c", "beside: a", "below: d"]);
    let graph = world.fleet.graph();
    const BASE: &str = "docker.io/library/base:latest";
    for (most, expected) in [
        (1, vec!["b"]),
        (3, vec!["a", "b", "c"]),
        (4, vec!["a", "b", "c", BASE]),
        (9, vec!["a", "b", "below", "c", "d", BASE]),
    ] {
        let ids = graph.lineage(world.id("b"), most);
        let name = |id: &Id| graph.node(*id).name.as_str();
        let mut names: Vec<&str> = ids.iter().map(name).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{most}");
    }
}

#[test]
fn only_the_neighbourhood_is_shown() {
    let world = World::diamond();
    let ids = world.fleet.graph().neighbourhood(world.id("other"), 2);
    let shown = text(&world.fleet, &ids);
    let right = "  right (fresh) on docker.io/library/base:latest, docker.io/library/other:latest";
    assert_eq!(
        shown,
        format!("level 0\n  docker.io/library/other:latest (watched)\nlevel 1\n{right}\n")
    );
    assert!(dot(&world.fleet, &ids).contains(" -> "));
    assert_eq!(mermaid(&world.fleet, &ids).matches(" --> ").count(), 1);
    assert_eq!(json(&world.fleet, &ids)["edges"][0]["to"], "right");
    let all: BTreeSet<Id> = world.fleet.graph().order().iter().copied().collect();
    assert_eq!(
        json(&world.fleet, &all)["nodes"].as_array().unwrap().len(),
        5
    );
}

#[test]
fn content_is_the_same_whatever_the_time() {
    let config = |time: &str, layer: &str, user: &str| {
        json!({"created": time, "config": {"User": user}, "rootfs": {"type": "layers", "diff_ids": [layer]},
               "history": [{"created": time, "created_by": "COPY"}]})
    };
    let one = config("2026-01-01", "sha256:a", "me");
    for (other, is_same) in [
        (config("2026-02-02", "sha256:a", "me"), true),
        (config("2026-01-01", "sha256:b", "me"), false),
        (config("2026-01-01", "sha256:a", "you"), false),
    ] {
        assert_eq!(same_content(&one, &other), is_same);
    }
    assert!(!same_content(&json!({}), &json!({})));
}

#[test]
fn input_sets_are_told_apart_by_every_part() {
    let set = |version: &str, commit: &str, image: &str, digest: &str| InputSet {
        version: version.to_owned(),
        commit: commit.to_owned(),
        bases: BTreeMap::from([(image.to_owned(), digest.to_owned())]),
    };
    let keys = [
        set("1", "c", "i", "d"),
        set("1c", "", "i", "d"),
        set("", "1c", "i", "d"),
        set("1", "c", "id", ""),
    ];
    let keys: BTreeSet<String> = keys.iter().map(InputSet::key).collect();
    assert_eq!(keys.len(), 4);
}
