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
    careen.steps("  - cmd: busybox true\n");
    std::fs::create_dir(careen.path("docker")).unwrap();
    std::fs::write(careen.path("docker/config.json"), "no JSON").unwrap();
    careen
        .run(&[])
        .exits(2)
        .says(&["config.json", "DOCKER_CONFIG"]);
    assert_eq!(careen.unfinished(), [""; 0]);
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
    running.interrupt();
    running.end().exits(130);
    careen.steps("  - cmd: busybox true\n");
    careen.run(&[]).exits(0).says(&["left behind"]);
}

#[test]
fn outputs_are_copied_out_and_kept_with_the_run() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh(
        "make",
        "mkdir -p out/sub; echo one > out/a; echo two > out/sub/b",
        "",
    ));
    let (folder, file) = (careen.path("folder"), careen.path("file"));
    let outputs = [
        format!("out={}", folder.display()),
        format!("out/sub/b={}", file.display()),
        format!("nothing={}", file.display()),
    ];
    let options = [
        "--output",
        &outputs[0],
        "--output",
        &outputs[1],
        "--output",
        &outputs[2],
    ];
    careen
        .run(&options)
        .exits(0)
        .says(&["could not save nothing"]);
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(read(folder.join("a")), "one\n");
    assert_eq!(read(folder.join("sub/b")), "two\n");
    assert_eq!(read(file.join("b")), "two\n");

    let listed = careen.json(&["runs", "files"]);
    let paths: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["path"])
        .collect();
    assert_eq!(paths, ["out/a", "out/sub/b"]);
    let to = careen.path("fetched");
    let to_word = to.to_str().unwrap();
    careen
        .does(&["runs", "files", "latest", "out/a", "--to", to_word])
        .exits(0);
    assert_eq!(read(to.join("a")), "one\n");
    careen
        .does(&["runs", "files", "latest", "../../key"])
        .exits(2)
        .says(&["no saved file"]);
}

#[test]
fn json_holds_id_and_status_and_nothing_else_is_on_standard_output() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("one", "echo hello", ""));
    let ran = careen.run(&["--json"]).exits(0).says(&["one | hello"]);
    let run: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one value");
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["id"], careen.latest()["id"]);

    careen.steps("  - cmd: busybox a && b\n");
    let refused = careen.run(&["--json"]).exits(2);
    let refused: serde_json::Value = serde_json::from_str(&refused.stdout).expect("one value");
    assert!(refused["error"]["findings"].is_array(), "{refused}");
}

#[test]
fn id_only_and_quiet_print_no_more_than_was_asked_for() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("one", "echo hello", ""));
    let ran = careen.run(&["--id-only"]).exits(0);
    let id = careen.latest()["id"].as_str().unwrap().to_string();
    assert_eq!((ran.stdout, ran.stderr), (format!("{id}\n"), String::new()));
    let ran = careen.run(&["--quiet"]).exits(0);
    assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
    careen.steps(&sh("one", "exit 3", ""));
    let ran = careen.run(&["--quiet"]).exits(1).says(&["failed"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn log_lines_carry_their_steps_and_recorded_runs_can_be_looked_at() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let steps = sh("first", "echo a; echo b >&2; echo c", "") + &sh("second", "echo d", "");
    careen.steps(&steps);
    let ran = careen.run(&[]).exits(0);
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    // The two streams of a step come as the engine sends them.
    lines[..3].sort_unstable();
    assert_eq!(
        lines,
        ["first  | a", "first  | b", "first  | c", "second | d"]
    );

    let run = careen.latest();
    let id = run["id"].as_str().unwrap();
    assert_eq!(run["step_list"][1]["id"], "second");
    let rows = careen.json(&["runs", "list"]);
    assert_eq!(
        (&rows[0]["id"], &rows[0]["steps_ended"]),
        (&run["id"], &2.into())
    );
    let shown = careen.does(&["runs", "show", &id[..9]]).exits(0).stdout;
    assert!(
        shown.contains("second") && shown.contains("succeeded"),
        "{shown}"
    );
    assert_eq!(careen.log("first").lines().count(), 3);
    let logs = careen
        .does(&["runs", "logs", id, "--json", "--step", "second"])
        .exits(0);
    let line: serde_json::Value = serde_json::from_str(&logs.stdout).expect("one line");
    assert_eq!((&line["text"], &line["line"]), (&"d".into(), &1.into()));
    careen
        .does(&["runs", "logs", id, "--step", "third"])
        .exits(2)
        .says(&["first, second"]);
    careen
        .does(&["runs", "show", "nothing"])
        .exits(2)
        .says(&["runs list"]);

    let again = careen.does(&["runs", "rerun", id]).exits(0).stdout;
    assert!(again.contains("second | d"), "{again}");
    assert_eq!(careen.latest()["rerun_of"], run["id"]);
    careen
        .does(&["runs", "resume", id])
        .exits(2)
        .says(&["has ended", "runs rerun"]);
}

#[test]
fn a_log_can_be_followed_while_it_grows() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh(
        "count",
        "for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done",
        "",
    ));
    let running = careen.start_run(&["--quiet"]);
    careen.until("it is recorded", |careen| careen.events() > 0);
    let followed = careen
        .does(&["runs", "logs", "-f", "--step", "count"])
        .exits(0);
    assert_eq!(followed.stdout, "1\n2\n3\n4\n5\n6\n");
    running.end().exits(0);
}

#[test]
fn an_output_that_cannot_be_saved_is_told_even_to_the_quiet() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps("  - cmd: busybox true\n");
    let output = format!("nothing={}", careen.path("out").display());
    let ran = careen.run(&["--quiet", "--output", &output]).exits(0);
    ran.says(&["could not save nothing"]);
}

#[test]
fn a_step_that_is_held_back_says_why() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let steps = sh("one", "sleep 1", "    when: ['-']\n") + &sh("two", "true", "    when: ['-']\n");
    careen.steps(&steps);
    let ran = careen.run(&["--parallel", "1"]).exits(0);
    ran.says(&["two", "held back: 1 step", "--parallel"]);
}

#[test]
fn a_secret_setting_may_stand_in_a_file() {
    let careen = Careen::new();
    let file = careen.path("database");
    std::fs::write(&file, "/tmp/elsewhere.db\n").unwrap();
    let shown = |file: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_careen"));
        let command = command.args(["config", "show"]).env_remove("CAREEN_DB");
        let ran = command.env("CAREEN_DB_FILE", file).output().unwrap();
        String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned()
    };
    let said = shown(file.to_str().unwrap());
    assert!(
        said.contains("/tmp/elsewhere.db") && said.contains("CAREEN_DB_FILE"),
        "{said}"
    );
    let said = shown("/no/such/file");
    assert!(
        said.contains("/no/such/file") && said.contains("CAREEN_DB_FILE"),
        "{said}"
    );
    let mut careen = careen;
    careen.set("AWS_SECRET_ACCESS_KEY_FILE", "/no/such/file");
    let says = ["/no/such/file", "AWS_SECRET_ACCESS_KEY_FILE"];
    careen.does(&["runs", "list"]).exits(2).says(&says);
}
