//! Detached steps: done as soon as they have started, watched until the run ends.

use careen::engine::{FaultKind, Settings};

use super::story::{Story, exit, step};

fn service_and_test(wait_healthy: bool) -> Story {
    let settings = Settings {
        parallel: 1,
        wait_healthy,
        timeout: None,
    };
    let steps = vec![step("web", |it| it.detach = true), step("test", |_| {})];
    let mut run = Story::with(steps, settings);
    run.begins();
    run.wants(&["start web 1"]);
    run
}

#[test]
fn a_detached_step_is_done_when_it_has_started_and_takes_no_place() {
    let mut run = service_and_test(false);
    run.starts_checked("web");
    run.wants(&["start test 1"]);
    assert_eq!(run.step("web"), "succeeded");
    run.exits("test", 0);
    run.wants(&["remove test 1", "tidy"]);
}

#[test]
fn the_timeout_of_a_detached_step_ends_with_its_start() {
    let mut run = service_and_test(false);
    run.starts("web");
    run.seconds_pass(599);
    assert_eq!(run.step("web"), "succeeded");
    run.exits("test", 0);
    run.seconds_pass(10_000);
    assert_eq!(run.verdict(), "succeeded");
}

#[test]
fn the_early_death_of_a_service_is_reported_and_decides_nothing() {
    let mut run = service_and_test(false);
    run.starts("web");
    run.exits("web", 137);
    let why = "succeeded: the detached container ended early with exit code 137";
    assert_eq!(run.step("web"), why);
    assert!(!run.state().step(0).serves);
    run.exits("test", 0);
    assert_eq!(run.verdict(), "succeeded");
}

#[test]
fn a_service_that_ends_with_the_run_has_not_died_early() {
    let mut run = service_and_test(false);
    run.starts("web");
    run.exits("test", 0);
    run.exits("web", 137);
    assert_eq!(run.step("web"), "succeeded");
}

#[test]
fn an_earlier_attempt_says_nothing_about_the_service_that_runs() {
    let mut run = Story::begun(vec![
        step("web", |it| {
            it.detach = true;
            it.retries = 1;
        }),
        step("test", |_| {}),
    ]);
    run.faults("web", FaultKind::Image, "no such image");
    run.seconds_pass(5);
    run.starts("web");
    run.attempt_ends("web", 1, exit(1, true));
    assert_eq!(run.step("web"), "succeeded");
    assert!(run.state().step(0).serves);
}

#[test]
fn waiting_for_health_holds_the_children() {
    let mut run = service_and_test(true);
    run.starts_checked("web");
    run.wants(&["watch web"]);
    assert_eq!(run.step("web"), "running: waits until it is healthy");
    run.is_healthy("web");
    run.wants(&["start test 1"]);
}

#[test]
fn an_image_without_a_health_check_is_not_waited_for() {
    let mut run = service_and_test(true);
    run.starts("web");
    run.wants(&["start test 1"]);
}

#[test]
fn a_service_that_becomes_unhealthy_fails() {
    let mut run = service_and_test(true);
    run.starts_checked("web");
    run.exits("web", 1);
    run.wants(&["watch web", "remove web 1", "tidy"]);
    assert_eq!(run.step("web"), "failed");
    assert_eq!(run.step("test"), "skipped");
}

#[test]
fn a_service_that_ends_before_it_is_healthy_fails_whatever_its_exit_code() {
    let mut run = service_and_test(true);
    run.starts_checked("web");
    run.exits("web", 0);
    run.wants(&["watch web", "remove web 1", "tidy"]);
    assert_eq!(run.step("web"), "failed: it ended before it was healthy");
    assert_eq!(run.step("test"), "skipped");
}

#[test]
fn a_service_that_is_not_healthy_in_time_is_timed_out() {
    let mut run = service_and_test(true);
    run.starts_checked("web");
    run.seconds_pass(600);
    run.is_stopped("web");
    run.wants(&["watch web", "stop web 1", "remove web 1", "tidy"]);
    assert_eq!(
        run.step("web"),
        "timed_out: longer than its timeout of 600 s"
    );
}
