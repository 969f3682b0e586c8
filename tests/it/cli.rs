//! What the command line promises: exit codes, output, flags.

use crate::careens::Careen;

/// A step of busybox.
pub fn sh(id: &str, script: &str, more: &str) -> String {
    let script = script.replace('\'', "''");
    format!("  - id: {id}\n    cmd: 'busybox sh -c \"{script}\"'\n{more}")
}

#[test]
fn a_run_that_succeeds_exits_0() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("one", "echo hello", ""));
    let ran = careen.run(&[]).exits(0).says(&["one", "succeeded"]);
    assert_eq!(ran.stdout, "one | hello\n");
}

#[test]
fn a_step_that_says_no_exits_1() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("one", "exit 7", ""));
    careen
        .run(&[])
        .exits(1)
        .says(&["one", "failed with exit code 7"]);
}

#[test]
fn what_the_user_can_mend_exits_2_and_records_nothing() {
    let cases: [(&str, &[&str], &[&str]); 8] = [
        (
            "  - id: a\n    cmd: busybox\n    when: [nobody]\n",
            &[],
            &["nobody", "acb.yaml:5:12"],
        ),
        ("  - cmd: 'busybox echo a && echo b'\n", &[], &["bash -c"]),
        (
            "  - cmd: busybox true\n",
            &["--no-such-option"],
            &["--no-such-option"],
        ),
        ("  - cmd: busybox true\n", &["--timeout", "soon"], &["soon"]),
        (
            "  - build: -t {{.Run.Registry}}/a .\n",
            &[],
            &["--registry", "CAREEN_REGISTRY", "settings file"],
        ),
        (
            "  - cmd: busybox true\n    privileged: true\n",
            &[],
            &["--allow privileged"],
        ),
        (
            "  - cmd: busybox true\n    network: host\n",
            &[],
            &["--allow host-network"],
        ),
        (
            "  - cmd: -v /etc:/x busybox true\n",
            &[],
            &["--allow host-path=/etc"],
        ),
    ];
    let careen = Careen::new();
    for (steps, options, says) in cases {
        careen.steps(steps);
        careen.run(options).exits(2).says(says);
    }
    careen
        .does(&["run", "/no/such/folder"])
        .exits(2)
        .says(&["/no/such/folder"]);
    careen.run(&["-f", "no.yaml"]).exits(2).says(&["no.yaml"]);
    assert_eq!(careen.unfinished(), 0);
    let list = careen.does(&["runs", "list", "--quiet"]).exits(0);
    assert_eq!(list.stdout, "");
}

#[test]
fn an_engine_that_is_not_there_exits_3_and_says_what_to_do() {
    let mut careen = Careen::new();
    careen.set("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    careen.steps("  - cmd: busybox true\n");
    let says = [
        "/nonexistent/docker.sock",
        "Start the Docker Engine",
        "DOCKER_HOST",
    ];
    careen.run(&[]).exits(3).says(&says);
    assert_eq!(careen.latest()["status"], "errored");
}

#[test]
fn an_image_that_cannot_be_had_exits_3_and_says_what_to_do() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps("  - id: one\n    cmd: 127.0.0.1:1/no-such-image:7 true\n");
    careen
        .run(&[])
        .exits(3)
        .says(&["127.0.0.1:1/no-such-image:7", "Check the"]);
}

#[test]
fn a_step_over_its_time_exits_4() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("slow", "sleep 60", "    timeout: 1\n"));
    careen.run(&[]).exits(4).says(&["slow", "timed out"]);
}

#[test]
fn a_run_over_its_time_exits_4() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("slow", "sleep 60", ""));
    let ran = careen.run(&["--timeout", "1", "--json"]).exits(4);
    let run: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(run["status"], "timed_out");
}

#[test]
fn ctrl_c_stops_the_steps_and_exits_130() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&(sh("slow", "echo up; sleep 60", "") + &sh("never", "true", "")));
    let running = careen.start_run(&[]);
    careen.until("slow runs", |careen| {
        careen.container("slow-1").is_some() && careen.events() > 1
    });
    running.interrupt();
    running.end().exits(130).says(&["slow", "canceled"]);
    assert_eq!(careen.on_engine(), [""; 0]);
    let run = careen.latest();
    assert_eq!(run["status"], "canceled");
    assert_eq!(run["step_list"][0]["status"], "canceled");
    assert_eq!(run["step_list"][1]["status"], "skipped");
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_the_next_run_cleans_up() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    // The shell ignores what asks it to stop, so the first Ctrl-C takes three seconds.
    careen.steps(&sh(
        "deaf",
        "trap : TERM INT; sleep 60 & wait; wait; wait",
        "",
    ));
    let running = careen.start_run(&[]);
    careen.until("deaf runs", |careen| careen.events() > 1);
    running.interrupt();
    careen.until("the wish is recorded", |careen| careen.events() > 2);
    let before = std::time::Instant::now();
    running.interrupt();
    running.end().exits(130);
    assert!(
        before.elapsed().as_millis() < 1500,
        "it took {:?}",
        before.elapsed()
    );
    careen.steps("  - cmd: busybox true\n");
    careen.run(&[]).exits(0).says(&["left behind"]);
}
