//! An engine that is restarted in mid-run: no end that it brings about is taken for the user's, and nothing is left.

use std::sync::Mutex;

use crate::{careens::Careen, cli::sh, engines::FRAGILE};

/// The engine is one, so its restarts come one after the other.
pub static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Ends well by itself when it is asked to stop, as a restarting engine does.
const YIELDING: &str = "trap 'exit 0' TERM; echo up; sleep 300 & wait";

/// Runs these steps and restarts the engine by a signal, once they are up.
fn restarted(signal: &str, steps: &str, up: &[&str]) -> Option<(Careen, i32)> {
    let careen = Careen::on_newer(FRAGILE)?;
    careen.steps(steps);
    let running = careen.start_run(&[]);
    for step in up {
        careen.until(step, |careen| is_logged(careen, step));
    }
    careen
        .engine()
        .inside(&["pkill", &format!("-{signal}"), "-x", "dockerd"]);
    let code = running.end().code.expect("a code");
    careen.until("the engine is back", |careen| careen.engine().is_up());
    assert_eq!(careen.on_engine(), [""; 0], "left after {signal}");
    Some((careen, code))
}

fn is_logged(careen: &Careen, step: &str) -> bool {
    let ran = careen.does(&["runs", "logs", "latest", "--step", step]);
    ran.stdout == "up\n"
}

#[test]
fn a_step_under_way_is_errored_whatever_the_restart_makes_of_it() {
    let _one = ONE_AT_A_TIME.lock();
    let steps = sh("work", YIELDING, "    retries: 2\n") + &sh("later", "true", "");
    for signal in ["TERM", "KILL"] {
        let Some((careen, code)) = restarted(signal, &steps, &["work"]) else {
            return;
        };
        let run = careen.latest();
        let row = |row: usize, key: &str| run["step_list"][row][key].clone();
        assert_eq!((code, row(0, "status")), (3, "errored".into()), "{run:#}");
        assert_eq!(row(0, "exit_code"), serde_json::Value::Null);
        assert_eq!(row(1, "status"), "skipped");
        let text = run.to_string();
        assert!(text.contains("engine was restarted or stopped"), "{run:#}");
    }
}

#[test]
fn a_service_that_the_restart_ends_has_not_died_early() {
    let _one = ONE_AT_A_TIME.lock();
    let apart = "    when: ['-']\n";
    let steps =
        sh("web", YIELDING, &format!("{apart}    detach: true\n")) + &sh("work", YIELDING, apart);
    let Some((careen, code)) = restarted("TERM", &steps, &["web", "work"]) else {
        return;
    };
    let run = careen.latest();
    assert_eq!(code, 3);
    assert!(!run.to_string().contains("ended early"), "{run:#}");
}

#[test]
fn a_build_that_the_restart_cuts_off_is_errored() {
    let _one = ONE_AT_A_TIME.lock();
    let Some(careen) = Careen::on_newer(FRAGILE) else {
        return;
    };
    let word = uuid::Uuid::new_v4();
    careen.file(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo {word}; sleep 60\n"),
    );
    careen.steps("  - id: image\n    build: .\n");
    let running = careen.start_run(&[]);
    careen.until("it builds", |careen| {
        let log = careen.does(&["runs", "logs", "latest", "--step", "image"]);
        log.stdout.contains(&format!(" {word}\n"))
    });
    careen.engine().inside(&["pkill", "-TERM", "-x", "dockerd"]);
    running.end().exits(3).says(&["image", "errored"]);
    careen.until("the engine is back", |careen| careen.engine().is_up());
}
