//! Retries: what a run made and is still there is not made again, all else is.

use std::process::Command;

use serde_json::Value;

use crate::{careens::Careen, cli::sh};

/// A registry that nobody serves.
const NOWHERE: &str = "127.0.0.1:1";

/// Each step's attempts in the latest run, with why it ended so.
fn attempts(careen: &Careen) -> Vec<(u64, String)> {
    let run = careen.latest();
    let steps = run["step_list"].as_array().expect("steps").iter();
    let reason = |step: &Value| step["reason"].as_str().unwrap_or_default().to_owned();
    steps
        .map(|step| (step["attempts"].as_u64().unwrap_or_default(), reason(step)))
        .collect()
}

fn build(tag: &str) -> String {
    format!("  - id: image\n    build: -t {tag} .\n")
}

#[test]
fn an_image_that_is_still_there_is_kept_and_commands_that_share_files_run_again() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let (app, late) = (careen.image("app"), careen.image("late"));
    careen.file("Dockerfile", "FROM busybox\nCOPY acb.yaml /\n");
    let write = sh("write", "echo begun >> begun", "    when: [image]\n");
    let read = format!("  - id: read\n    cmd: {late} cat begun\n    when: [write]\n");
    careen.steps(&format!("{}{write}{read}", build(&app)));
    careen.run(&[]).exits(3);
    let first = careen.latest()["id"].as_str().expect("an id").to_owned();
    let tagged = Command::new("docker")
        .args(["tag", "busybox", &late])
        .status();
    assert!(tagged.expect("docker").success());
    let ran = careen.does(&["runs", "retry"]).exits(0);
    assert_eq!(ran.stdout, "read  | begun\n");
    let kept = format!("kept from run {first}");
    let made = (1, String::new());
    assert_eq!(attempts(&careen), [(0, kept), made.clone(), made.clone()]);
    careen
        .does(&["runs", "retry"])
        .exits(2)
        .says(&["succeeded", "careen runs rerun"]);
    // All of it again, now that the image has gone.
    careen.remove_image(&app);
    careen.does(&["runs", "retry", &first]).exits(0);
    assert_eq!(attempts(&careen), [made.clone(), made.clone(), made]);
}

#[test]
fn a_push_that_failed_is_all_that_is_run_again() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let app = format!("{NOWHERE}/{}", careen.image("app"));
    careen.keep_track(&app);
    careen.file("Dockerfile", "FROM busybox\nCOPY acb.yaml /\n");
    let check = format!("  - id: check\n    cmd: {app} true\n    when: [image]\n");
    let push = format!("  - id: push\n    push: [{app}]\n    when: [check]\n");
    careen.steps(&format!("{}{check}{push}", build(&app)));
    careen.run(&[]).exits(3);
    let first = careen.latest()["id"].as_str().expect("an id").to_owned();
    careen.does(&["runs", "retry"]).exits(3);
    careen.does(&["runs", "retry"]).exits(3);
    let kept = (0, format!("kept from run {first}"));
    let all = attempts(&careen);
    assert_eq!(all[..2], [kept.clone(), kept]);
    assert_eq!(all[2].0, 1);
}
