//! A run whose disk is full is errored, says so, and loses nothing that was recorded.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{careens::Careen, cli::sh};

/// A small disk in memory; it goes with this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one; `None`, said aloud, where that is not allowed.
    fn mount(at: &Path, bytes: u64) -> Option<SmallDisk> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "careen-test"])
            .arg(at)
            .output();
        if !mounted.is_ok_and(|it| it.status.success()) {
            println!("skipped: no disk can be mounted here");
            return None;
        }
        Some(SmallDisk(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_run_that_fills_the_disk_is_errored_and_what_was_recorded_stays() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let Some(_disk) = SmallDisk::mount(&careen.path("data"), 12 << 20) else {
        return;
    };
    careen.set("CAREEN_MIN_FREE_BYTES", "0");
    let noise = "head -c 30000000 /dev/urandom | base64";
    careen.steps(
        &[
            sh("before", "echo all well", ""),
            sh("flood", noise, "    when: [before]\n"),
        ]
        .concat(),
    );
    careen.run(&["--quiet"]).exits(3).says(&["no space left"]);
    let run = careen.latest();
    assert_eq!(run["status"], "errored", "{run:#}");
    assert!(run["ended_at"].is_string());
    assert_eq!(run["step_list"][0]["status"], "succeeded");
    assert_eq!(run["step_list"][1]["status"], "errored");
    assert_eq!(careen.log("before"), "all well\n");
    // What of the flood was seen is still there, from its first line on.
    assert!(careen.log("flood").lines().count() > 1000);
    assert_eq!(careen.on_engine(), Vec::<String>::new());
}

#[test]
fn a_disk_that_is_nearly_full_refuses_a_run_and_says_what_to_do() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("one", "true", ""));
    careen.set("CAREEN_MIN_FREE_BYTES", &u64::MAX.to_string());
    careen
        .run(&[])
        .exits(3)
        .says(&["bytes left", "careen prune", "keep.min_free_bytes"]);
    assert!(careen.unfinished().is_empty());
}
