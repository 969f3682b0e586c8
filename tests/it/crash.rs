//! A careen that dies: whatever moment it is, nothing is lost, nothing runs twice, nothing is left behind.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    careens::{Careen, Ran, Running},
    cli::sh,
    registries::{Kind, Server},
    specs::registry,
};

/// Writes a numbered line every tenth of a second.
const COUNTING: &str = "for i in $(seq 1 40); do echo line $i; sleep 0.1; done";

/// The step's row of the latest run.
fn step(run: &Value, id: &str) -> Value {
    let steps = run["step_list"].as_array().expect("steps");
    let found = steps.iter().find(|step| step["id"] == id);
    found
        .unwrap_or_else(|| panic!("no step {id} in {run}"))
        .clone()
}

/// The containers that ran, by step and attempt.
fn containers(run: &Value) -> BTreeMap<(u64, u64), String> {
    let attempts = run["attempts"].as_array().expect("attempts").iter();
    attempts
        .filter_map(|it| {
            let key = (it["step"].as_u64()?, it["attempt"].as_u64()?);
            Some((key, it["container"].as_str()?.to_string()))
        })
        .collect()
}

fn resume(careen: &Careen) -> Ran {
    careen.does(&["runs", "resume", "latest"])
}

#[test]
fn the_next_run_ends_a_run_whose_careen_was_killed() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&(sh("slow", "sleep 60", "") + &sh("never", "true", "")));
    let running = careen.start_run(&[]);
    careen.until("slow runs", |careen| careen.events() > 1);
    let lost = careen.latest();
    running.kill();
    assert!(!careen.on_engine().is_empty());
    careen.steps("  - cmd: busybox true\n");
    let id = lost["id"].as_str().unwrap();
    careen.run(&[]).exits(0).says(&["ended", id, "left behind"]);
    let run = careen.json(&["runs", "show", id]);
    assert_eq!(run["status"], "errored");
    assert!(
        run["reason"].as_str().unwrap().contains("client lost"),
        "{run}"
    );
    assert_eq!(step(&run, "slow")["status"], "canceled");
    assert_eq!(step(&run, "never")["status"], "skipped");
    let ended = run["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .all(|it| !it["ended_at"].is_null());
    assert!(ended, "{run}");
    assert_eq!(careen.on_engine(), [""; 0]);
}

#[test]
fn a_sweep_ends_it_too_and_leaves_living_runs_alone() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("slow", "sleep 60", ""));
    let dead = careen.start_run(&[]);
    careen.until("slow runs", |careen| careen.events() > 1);
    let lost = careen.latest()["id"].as_str().unwrap().to_string();
    dead.kill();
    careen.steps(&sh("quick", "sleep 4; echo done", ""));
    // Starting another run would end the dead one itself; a sweep at the same time must not disturb it.
    let swept = careen.json(&["sweep"]);
    assert_eq!(swept["ended"][0], lost.as_str());
    assert_eq!(careen.on_engine(), [""; 0]);
    let living = careen.start_run(&[]);
    careen.until("quick runs", |careen| {
        careen.latest()["id"] != lost.as_str() && careen.events() > 1
    });
    let swept = careen.json(&["sweep"]);
    assert_eq!(swept["ended"].as_array().unwrap().len(), 0, "{swept}");
    assert_eq!(swept["removed"], 0, "{swept}");
    let refused = careen.does(&["runs", "resume", "latest"]).exits(2);
    refused.says(&["Another careen"]);
    assert_eq!(living.end().exits(0).stdout, "quick | done\n");
}

#[test]
fn a_step_that_runs_through_the_kill_keeps_its_container_and_every_line() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let after = sh("after", "cat begun; echo after", "    when: [count]\n");
    let begin = format!("echo begun once >> begun; {COUNTING}");
    careen.steps(&(sh("count", &begin, "") + &after));
    let running = careen.start_run(&[]);
    careen.until("it has counted for a while", |careen| {
        careen.events() > 1 && careen.log("count").lines().count() > 8
    });
    let before = containers(&careen.latest());
    running.kill();
    std::thread::sleep(std::time::Duration::from_millis(700));
    resume(&careen).exits(0);
    let lines: Vec<String> = (1..=40).map(|number| format!("line {number}")).collect();
    assert_eq!(careen.log("count").lines().collect::<Vec<_>>(), lines);
    assert_eq!(careen.log("after"), "begun once\nafter\n");
    let run = careen.latest();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(containers(&run)[&(0, 1)], before[&(0, 1)]);
    assert_eq!(step(&run, "count")["attempts"], 1);
}

#[test]
fn a_step_that_ended_while_nobody_watched_is_not_started_again() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let script = "echo begun >> begun; sleep 1; echo last word; exit 5";
    let options = "    timeout: 12\n    ignoreErrors: true\n";
    careen.steps(&(sh("short", script, options) + &sh("after", "cat begun", "")));
    let running = careen.start_run(&[]);
    careen.until("short runs", |careen| careen.events() > 1);
    running.kill();
    // Its timeout passes too, but long after its end.
    std::thread::sleep(std::time::Duration::from_secs(14));
    resume(&careen).exits(0);
    let run = careen.latest();
    assert_eq!(step(&run, "short")["status"], "failed");
    assert_eq!(step(&run, "short")["exit_code"], 5);
    assert_eq!(step(&run, "short")["attempts"], 1);
    assert_eq!(careen.log("short"), "last word\n");
    assert_eq!(careen.log("after"), "begun\n");
}

#[test]
fn a_build_that_was_cut_off_is_issued_again_in_the_same_attempt() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let image = careen.image("cut-off");
    careen.file("Dockerfile", "FROM busybox\nRUN echo begun && sleep 2\n");
    let build = format!("  - id: image\n    build: -t {image} --no-cache .\n");
    careen.steps(&(build + &format!("  - id: use\n    cmd: {image} echo used\n")));
    let running = careen.start_run(&[]);
    careen.until("it builds", |careen| {
        careen.events() > 0 && careen.log("image").contains("begun")
    });
    running.kill();
    let resumed = resume(&careen).exits(0);
    assert!(resumed.stdout.contains("used"), "{}", resumed.stdout);
    let run = careen.latest();
    assert_eq!(step(&run, "image")["attempts"], 1, "{run:#}");
    let events = run["events"].as_array().unwrap().iter();
    let kinds: Vec<&Value> = events.map(|it| &it["kind"]).collect();
    // What it stands on was found once, before the kill.
    assert_eq!(
        kinds,
        [
            "begun", "based", "reissued", "ended", "started", "ended", "tidied"
        ]
    );
}

#[test]
fn a_build_that_is_issued_again_stands_on_what_was_first_recorded() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let Some(registry) = Server::start(Kind::Open) else {
        return;
    };
    let base = format!("{}/base:1", registry.host);
    let image = careen.image("again");
    careen.keep_track(&base);
    let publish = |careen: &Careen, word: &str| {
        let text = format!("FROM busybox\nRUN echo {word} > /word\n");
        careen.file("base/Dockerfile", &text);
        careen.steps(&format!(
            "  - build: -t {base} base\n  - push: ['{base}']\n"
        ));
        careen.run(&["--quiet"]).exits(0);
    };
    publish(&careen, "first");
    let text = format!("FROM {base}\nRUN echo begun && sleep 3\n");
    careen.file("Dockerfile", &text);
    let steps = format!(
        "  - id: image\n    build: -t {image} --no-cache .\n  - id: use\n    cmd: {image} cat /word\n"
    );
    careen.steps(&steps);
    let running = careen.start_run(&[]);
    careen.until("it builds", |careen| {
        let is_new = careen.latest()["step_list"][0]["id"] == "image";
        is_new && careen.log("image").contains("begun")
    });
    let id = careen.latest()["id"].as_str().unwrap().to_string();
    running.kill();
    // The name means another image now, on the engine and in the registry.
    let mut other = Careen::on_docker().expect("an engine");
    other.keep_track(&base);
    publish(&other, "second");
    careen.steps(&steps);
    careen.does(&["runs", "resume", &id]).exits(0);
    assert_eq!(careen.log("use"), "first\n");
    let digest = &careen.latest()["dependencies"][0]["runtime-dependency"]["digest"];
    assert!(digest.as_str().unwrap().starts_with("sha256:"), "{digest}");
    assert_ne!(
        digest.as_str(),
        other.repo_digest(base.trim_end_matches(":1")).as_deref()
    );
}

#[test]
fn an_error_said_before_the_kill_counts_for_the_retry_after_it() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let script = "test -e tried && exit 0; touch tried; echo the line is busy; sleep 2; exit 1";
    careen.steps(&sh(
        "call",
        script,
        "    retries: 1\n    retryOnErrors: [busy]\n",
    ));
    let running = careen.start_run(&[]);
    careen.until("it is busy", |careen| {
        careen.events() > 1 && careen.log("call").contains("busy")
    });
    running.kill();
    resume(&careen).exits(0);
    assert_eq!(step(&careen.latest(), "call")["attempts"], 2);
}

#[test]
fn a_cancelled_run_that_was_killed_on_top_is_still_cancelled() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let steps = sh("deaf", "trap : TERM INT; while true; do sleep 1; done", "");
    careen.steps(&(steps + &sh("never", "true", "")));
    let running = careen.start_run(&[]);
    careen.until("deaf runs", |careen| careen.events() > 1);
    running.interrupt();
    careen.until("the wish is recorded", |careen| careen.events() > 2);
    running.kill();
    resume(&careen).exits(130);
    let run = careen.latest();
    assert_eq!(run["status"], "canceled");
    assert_eq!(step(&run, "deaf")["status"], "canceled");
}

#[test]
fn a_run_is_not_taken_up_without_the_engine_that_has_its_containers() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("slow", "sleep 3; echo done", ""));
    let running = careen.start_run(&[]);
    careen.until("slow runs", |careen| careen.events() > 1);
    running.kill();
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    careen.set("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    resume(&careen).exits(3).says(&["Start the Docker Engine"]);
    careen.set("DOCKER_HOST", &host);
    let resumed = resume(&careen).exits(0);
    assert_eq!(resumed.stdout, "slow | done\n");
}

/// A small run with everything that recovery must take up: parallel steps, a service, a retry. Each attempt leaves
/// a word in the workspace, and the last step reads them.
fn varied() -> String {
    let words =
        |id: &str, script: &str, more: &str| sh(id, &format!("echo {id} >> words; {script}"), more);
    let flaky = "test -e tried && exit 0; touch tried; exit 1";
    words("left", "sleep 0.3", "    when: ['-']\n")
        + &words("right", "sleep 0.5", "    when: ['-']\n")
        + &words("serve", "sleep 300", "    when: [left]\n    detach: true\n")
        + &words(
            "flaky",
            flaky,
            "    when: [left]\n    retries: 1\n    retryDelay: 1\n",
        )
        + &words("last", "sort words", "    when: [right, serve, flaky]\n")
}

/// Asserts that the run ended as if nothing had happened: each attempt once, no line lost or doubled, nothing left.
fn assert_ended_well(careen: &Careen, moment: &str) {
    let run = careen.latest();
    assert_eq!(run["status"], "succeeded", "{moment}: {run:#}");
    let words = careen.log("last");
    let words: Vec<&str> = words.lines().collect();
    let wanted = ["flaky", "flaky", "last", "left", "right", "serve"];
    assert_eq!(words, wanted, "{moment}: {run:#}");
    let keys: Vec<_> = containers(&run).into_keys().collect();
    let all = [(0, 1), (1, 1), (2, 1), (3, 1), (3, 2), (4, 1)];
    assert_eq!(keys, all, "{moment}: {run:#}");
    for step in run["step_list"].as_array().unwrap() {
        assert_eq!(step["status"], "succeeded", "{moment}: {step}");
        assert!(step["images"]["id"].is_string(), "{moment}: {step}");
    }
    let saved = std::fs::read_to_string(careen.path("saved/words")).unwrap_or_default();
    assert_eq!(saved.lines().count(), wanted.len(), "{moment}: {saved}");
    assert_eq!(careen.on_engine(), [""; 0], "{moment}");
}

/// Starts a run whose list of words is saved.
fn start_saving(careen: &Careen) -> Running {
    let output = format!("words={}", careen.path("saved").display());
    careen.start_run(&["--output", &output])
}

/// Takes the run up until it has ended; a run that had ended when its careen was killed needs none of it.
fn resume_to_the_end(careen: &Careen, moment: &str) {
    if !careen.unfinished().is_empty() {
        let resumed = resume(careen);
        assert_eq!(
            resumed.code,
            Some(0),
            "{moment}: {}{}",
            resumed.stdout,
            resumed.stderr
        );
    }
    assert_ended_well(careen, moment);
}

/// Does rounds side by side, as many as the machine likes.
fn side_by_side(rounds: usize, round: impl Fn(usize) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(number) = Some(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            .filter(|number| *number < rounds)
        {
            round(number);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
}

/// A run of few events.
fn brief() -> String {
    sh("left", "sleep 0.3", "    when: ['-']\n")
        + &sh("right", "sleep 0.5", "    when: ['-']\n")
        + &sh("last", "true", "    when: [left, right]\n")
}

/// Runs these steps once for each of their events, and does something to the run when that event is recorded.
fn at_each_event(steps: &str, then: impl Fn(&Careen, Running, &str) + Sync) {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(steps);
    careen.run(&[]).exits(0);
    let events = careen.latest()["events"].as_array().unwrap().len();
    side_by_side(events, |number| {
        let Some(careen) = Careen::on_docker() else {
            return;
        };
        careen.steps(steps);
        let mut running = start_saving(&careen);
        let is_there = |careen: &Careen| match number {
            0 => !careen.unfinished().is_empty(),
            _ => careen.events() >= number,
        };
        careen.until("the event is recorded", |it| {
            is_there(it) || running.is_over()
        });
        then(&careen, running, &format!("at event {number} of {events}"));
    });
}

#[test]
fn killed_at_any_event_a_run_ends_the_same_and_leaves_nothing() {
    at_each_event(&varied(), |careen, running, moment| {
        running.kill();
        resume_to_the_end(careen, &format!("killed {moment}"));
    });
}

#[test]
fn interrupted_at_any_event_a_run_leaves_nothing() {
    at_each_event(&brief(), |careen, running, moment| {
        running.interrupt();
        let ran = running.end();
        assert!(matches!(ran.code, Some(0 | 130)), "{moment}: {ran:?}");
        assert_eq!(careen.on_engine(), [""; 0], "{moment}: {ran:?}");
        let wanted = if ran.code == Some(0) {
            "succeeded"
        } else {
            "canceled"
        };
        assert_eq!(careen.latest()["status"], wanted, "{moment}");
    });
}

#[test]
fn killed_at_any_event_a_run_is_swept_without_a_rest() {
    at_each_event(&brief(), |careen, running, moment| {
        running.kill();
        careen.does(&["sweep"]).exits(0);
        assert_eq!(careen.unfinished(), [""; 0], "{moment}");
        assert_eq!(careen.on_engine(), [""; 0], "{moment}");
    });
}

/// How many lives a run of the long proof has at most.
const LIVES: usize = 4;

#[test]
fn killed_again_and_again_at_random_a_run_ends_the_same() {
    if std::env::var_os("CAREEN_TEST_ALL").is_none() {
        println!("skipped: CAREEN_TEST_ALL is not set");
        return;
    }
    side_by_side(100, |number| {
        let Some(careen) = Careen::on_docker() else {
            return;
        };
        careen.steps(&varied());
        let mut running = start_saving(&careen);
        let mut moments = Vec::new();
        for _ in 1..LIVES {
            let moment = rand::random_range(10..2500);
            moments.push(moment);
            std::thread::sleep(std::time::Duration::from_millis(moment));
            if running.is_over() {
                break;
            }
            running.kill();
            if careen.unfinished().is_empty() {
                // Killed before there was a run: the next one is another.
                running = start_saving(&careen);
            } else {
                running = careen.start(&["runs", "resume", "latest"]);
            }
        }
        let (moment, ran) = (
            format!("round {number}, killed after {moments:?} ms"),
            running.end(),
        );
        assert_eq!(ran.code, Some(0), "{moment}: {ran:?}");
        assert_ended_well(&careen, &moment);
    });
}

/// Makes and pushes an image that others stand on, with this word in it.
fn push_base(careen: &Careen, base: &str, word: &str) {
    careen.file(
        "Dockerfile.base",
        &format!("FROM busybox\nRUN echo {word} > /word\n"),
    );
    careen.steps(&format!(
        "  - build: -t {base} -f Dockerfile.base .\n  - push: ['{base}']\n"
    ));
    careen.run(&[]).exits(0);
}

#[test]
fn a_build_that_was_cut_off_stands_on_its_first_bases_though_they_have_moved() {
    let (Some(mut careen), Some(other)) = (Careen::on_docker(), Careen::on_docker()) else {
        return;
    };
    if std::net::TcpStream::connect(registry()).is_err() {
        println!("skipped: no registry");
        return;
    }
    let image = careen.image("stands-on-base");
    let base = format!("{}/{}", registry(), careen.image("first-base"));
    careen.keep_track(&base);
    push_base(&other, &base, "first");
    careen.file("Dockerfile", &format!("FROM {base}\nRUN sleep 4\n"));
    careen.steps(&format!(
        "  - {{id: build, build: '-t {image} .'}}\n  - {{id: show, cmd: '{image} cat /word'}}\n"
    ));
    let running = careen.start_run(&[]);
    careen.until("it builds", |careen| {
        careen.events() > 1 && careen.log("build").contains("RUN sleep 4")
    });
    running.kill();
    push_base(&other, &base, "second");
    resume(&careen).exits(0);
    assert_eq!(careen.log("show"), "first\n");
}
