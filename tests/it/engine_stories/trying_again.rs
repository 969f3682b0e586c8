//! Retries, iterations and the one clock over all of them.

use careen::{
    engine::FaultKind,
    spec::{Push, Step, StepKind},
};

use super::story::{Story, exit, step};

fn begun_with(say: impl FnOnce(&mut Step)) -> Story {
    let mut run = Story::begun(vec![step("a", say)]);
    run.wants(&["start a 1"]);
    run
}

#[test]
fn a_failed_attempt_is_tried_again_after_its_delay_until_retries_are_used_up() {
    let mut run = begun_with(|it| {
        it.retries = 2;
        it.retry_delay_seconds = 7;
    });
    run.exits("a", 1);
    run.seconds_pass(6);
    run.wants(&["remove a 1"]);
    let why = "running: waits 7 s before trying again";
    assert_eq!(run.step("a"), why);
    run.seconds_pass(1);
    run.wants(&["start a 2"]);
    run.exits("a", 2);
    run.seconds_pass(7);
    run.exits("a", 3);
    run.wants(&["remove a 2", "start a 3", "remove a 3", "tidy"]);
    let why = "failed: failed to run step ID: a: exit status 3";
    assert_eq!(run.verdict(), why);
}

#[test]
fn an_attempt_that_is_fine_needs_no_further_one() {
    let mut run = begun_with(|it| it.retries = 2);
    run.exits("a", 0);
    run.wants(&["remove a 1", "tidy"]);
    assert_eq!(run.step("a"), "succeeded");
}

#[test]
fn output_without_any_of_retry_on_errors_ends_the_trying() {
    let mut run = begun_with(|it| {
        it.retries = 5;
        it.retry_on_errors = vec!["connection reset".to_owned()];
    });
    run.exits("a", 1);
    run.seconds_pass(5);
    run.exits_unmatched("a", 9);
    run.wants(&["remove a 1", "start a 2", "remove a 2", "tidy"]);
    let why = "failed: failed to run step ID: a: exit status 9";
    assert_eq!(run.verdict(), why);
}

#[test]
fn retries_cover_images_and_registries_but_not_the_engine() {
    for (kind, is_retried) in [
        (FaultKind::Image, true),
        (FaultKind::Registry, true),
        (FaultKind::Engine, false),
        (FaultKind::Lost, false),
    ] {
        let mut run = begun_with(|it| it.retries = 1);
        run.faults("a", kind, "no");
        run.seconds_pass(5);
        let wanted = if is_retried { "start a 2" } else { "tidy" };
        run.wants(&["remove a 1", wanted]);
    }
}

#[test]
fn a_push_heeds_neither_retries_nor_repeat() {
    let mut run = begun_with(|it| {
        it.kind = StepKind::Push(Push::default());
        it.retries = 3;
        it.repeat = 3;
    });
    run.exits("a", 1);
    run.wants(&["tidy"]);
    assert_eq!(run.step("a"), "failed");
}

#[test]
fn a_repeated_step_never_stops_early_and_one_bad_iteration_fails_it() {
    let mut run = begun_with(|it| it.repeat = 2);
    run.exits("a", 0);
    run.exits("a", 4);
    run.exits("a", 0);
    run.wants(&[
        "remove a 1",
        "start a 2",
        "remove a 2",
        "start a 3",
        "remove a 3",
        "tidy",
    ]);
    let why = "failed: failed to run step ID: a: exit status 4";
    assert_eq!(run.verdict(), why);
}

#[test]
fn each_iteration_has_its_own_retries() {
    let mut run = begun_with(|it| {
        it.repeat = 1;
        it.retries = 1;
    });
    run.exits("a", 1);
    run.seconds_pass(5);
    run.exits("a", 0);
    run.exits("a", 1);
    run.seconds_pass(5);
    run.exits("a", 0);
    assert_eq!(run.verdict(), "succeeded");
    assert_eq!(run.state().step(0).attempt, 4);
}

#[test]
fn a_timeout_ends_the_wait_before_a_retry() {
    let mut run = begun_with(|it| {
        it.timeout_seconds = 10;
        it.retries = 1;
        it.retry_delay_seconds = 60;
    });
    run.exits("a", 1);
    run.seconds_pass(10);
    run.wants(&["remove a 1", "tidy"]);
    assert_eq!(run.step("a"), "timed_out: longer than its timeout of 10 s");
    let why = "timed_out: failed to run step ID: a: timed out after 10 s";
    assert_eq!(run.verdict(), why);
    run.seconds_pass(100);
    run.wants(&[]);
}

#[test]
fn a_retry_that_is_due_with_the_timeout_is_not_made() {
    let mut run = begun_with(|it| {
        it.timeout_seconds = 10;
        it.retries = 1;
        it.retry_delay_seconds = 10;
    });
    run.exits("a", 1);
    run.seconds_pass(10);
    run.wants(&["remove a 1", "tidy"]);
    assert_eq!(run.step("a"), "timed_out: longer than its timeout of 10 s");
}

#[test]
fn one_timeout_covers_all_iterations() {
    let mut run = begun_with(|it| {
        it.timeout_seconds = 10;
        it.repeat = 9;
    });
    for _ in 0..3 {
        run.seconds_pass(3);
        run.exits("a", 0);
    }
    run.seconds_pass(1);
    run.wants(&[
        "remove a 1",
        "start a 2",
        "remove a 2",
        "start a 3",
        "remove a 3",
        "start a 4",
        "stop a 4",
    ]);
    run.is_stopped("a");
    assert_eq!(run.step("a"), "timed_out: longer than its timeout of 10 s");
}

#[test]
fn an_exit_while_the_timeout_stops_the_attempt_is_still_a_timeout() {
    let mut run = begun_with(|it| {
        it.timeout_seconds = 10;
        it.retries = 1;
    });
    run.seconds_pass(10);
    run.exits("a", 0);
    run.wants(&["stop a 1", "remove a 1", "tidy"]);
    assert_eq!(run.step("a"), "timed_out: longer than its timeout of 10 s");
}

#[test]
fn what_an_earlier_attempt_says_late_changes_nothing() {
    let mut run = begun_with(|it| it.retries = 1);
    run.exits("a", 1);
    run.seconds_pass(5);
    run.wants(&["remove a 1", "start a 2"]);
    run.attempt_ends("a", 1, exit(0, true));
    run.wants(&[]);
    assert_eq!(run.step("a"), "running");
}

#[test]
fn a_kept_container_is_not_removed_before_the_end() {
    let mut run = begun_with(|it| {
        it.keep = true;
        it.retries = 1;
    });
    run.exits("a", 1);
    run.seconds_pass(5);
    run.exits("a", 0);
    run.wants(&["start a 2", "tidy"]);
}
