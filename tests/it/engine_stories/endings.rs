//! How runs end: the first reason stands, what runs is stopped, the rest is skipped.

use careen::engine::{FaultKind, Settings};

use super::story::{Story, after, step};

#[test]
fn a_failing_step_stops_what_runs_and_skips_the_rest() {
    let mut run = Story::begun(vec![
        after("bad", &[]),
        after("slow", &[]),
        after("next", &["bad"]),
    ]);
    run.exits("bad", 2);
    run.wants(&["start bad 1", "start slow 1", "remove bad 1", "stop slow 1"]);
    run.is_stopped("slow");
    run.wants(&["remove slow 1", "tidy"]);
    assert_eq!(run.step("bad"), "failed");
    assert_eq!(run.step("slow"), "canceled");
    assert_eq!(run.step("next"), "skipped");
    let why = "failed: failed to run step ID: bad: exit status 2";
    assert_eq!(run.verdict(), why);
}

#[test]
fn only_the_first_failure_decides_the_run() {
    let mut run = Story::begun(vec![after("first", &[]), after("second", &[])]);
    run.exits("first", 1);
    run.exits("second", 2);
    run.cancels();
    assert_eq!(run.step("second"), "canceled");
    let why = "failed: failed to run step ID: first: exit status 1";
    assert_eq!(run.verdict(), why);
}

#[test]
fn ignored_errors_let_the_children_run() {
    for spoil in [
        (|run| run.exits("shaky", 1)) as fn(&mut Story),
        |run| run.faults("shaky", FaultKind::Image, "no such image"),
        |run| {
            run.seconds_pass(600);
            run.is_stopped("shaky");
        },
    ] {
        let mut run = Story::begun(vec![
            step("shaky", |it| it.ignore_errors = true),
            step("next", |_| {}),
        ]);
        spoil(&mut run);
        assert!(run.state().step(0).ignored);
        run.exits("next", 0);
        assert_eq!(run.verdict(), "succeeded");
    }
}

#[test]
fn ignore_errors_does_not_ignore_a_cancel() {
    let mut run = Story::begun(vec![
        step("shaky", |it| it.ignore_errors = true),
        step("next", |_| {}),
    ]);
    run.cancels();
    run.is_stopped("shaky");
    run.wants(&["start shaky 1", "stop shaky 1", "remove shaky 1", "tidy"]);
    assert_eq!(run.step("shaky"), "canceled");
    assert!(!run.state().step(0).ignored);
    assert_eq!(run.step("next"), "skipped");
    assert_eq!(run.verdict(), "canceled: canceled by the user");
}

#[test]
fn a_cancel_ends_every_kind_of_wait() {
    let mut run = Story::begun(vec![
        step("retried", |it| it.retries = 1),
        step("pulled", |it| {
            it.when = careen::spec::When::Immediately;
            it.pull = true;
        }),
        step("late", |it| {
            it.when = careen::spec::When::Immediately;
            it.start_delay_seconds = 60;
        }),
    ]);
    run.exits("retried", 1);
    run.wants(&["start retried 1", "pull pulled", "remove retried 1"]);
    run.cancels();
    run.wants(&["stop pulling pulled"]);
    run.is_stopped("pulled");
    run.wants(&["tidy"]);
    assert_eq!(run.step("retried"), "canceled");
    assert_eq!(run.step("pulled"), "canceled");
    assert_eq!(run.step("late"), "skipped");
    run.seconds_pass(100);
    run.wants(&[]);
}

#[test]
fn a_run_canceled_before_it_begins_starts_nothing() {
    let mut run = Story::of(vec![step("a", |_| {})]);
    run.cancels();
    run.wants(&["tidy"]);
    run.begins();
    run.is_tidied();
    run.wants(&[]);
    assert_eq!(run.step("a"), "skipped");
    assert_eq!(run.verdict(), "canceled: canceled by the user");
}

#[test]
fn a_run_that_cannot_be_set_up_is_errored() {
    let mut run = Story::of(vec![step("a", |_| {})]);
    run.setup_fails("no network");
    run.wants(&["tidy"]);
    assert_eq!(run.step("a"), "skipped");
    let why = "errored: could not set up the run: no network";
    assert_eq!(run.verdict(), why);
}

#[test]
fn a_run_that_takes_too_long_is_timed_out() {
    let settings = Settings {
        parallel: 4,
        wait_healthy: false,
        timeout: Some(300_000),
    };
    let mut run = Story::with(vec![step("a", |_| {}), step("b", |_| {})], settings);
    run.begins();
    run.seconds_pass(300);
    run.wants(&["start a 1", "stop a 1"]);
    run.is_stopped("a");
    assert_eq!(run.step("a"), "canceled");
    assert_eq!(run.step("b"), "skipped");
    let why = "timed_out: the run took longer than its timeout of 300 s";
    assert_eq!(run.verdict(), why);
}

#[test]
fn a_step_that_timed_out_keeps_that_ending_when_the_run_is_canceled_meanwhile() {
    let mut run = Story::begun(vec![step("a", |_| {})]);
    run.seconds_pass(600);
    run.cancels();
    run.is_stopped("a");
    assert_eq!(run.step("a"), "timed_out: longer than its timeout of 600 s");
    assert_eq!(run.verdict(), "canceled: canceled by the user");
}
