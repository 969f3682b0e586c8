//! When steps start: parents first, then `startDelay`, then the limit, then `pull`.

use careen::{engine::Settings, spec::Step};

use super::story::{Story, after, step};

fn two_at_once(steps: Vec<Step>) -> Story {
    let settings = Settings {
        parallel: 2,
        wait_healthy: false,
        timeout: None,
    };
    let mut run = Story::with(steps, settings);
    run.begins();
    run
}

#[test]
fn a_plan_without_steps_succeeds_at_once() {
    let mut run = Story::begun(vec![]);
    run.wants(&["tidy"]);
    run.is_tidied();
    assert_eq!(run.verdict(), "succeeded");
}

#[test]
fn a_step_waits_for_all_its_parents() {
    let mut run = Story::begun(vec![
        after("web", &[]),
        after("api", &[]),
        after("test", &["web", "api"]),
    ]);
    run.wants(&["start web 1", "start api 1"]);
    assert_eq!(run.step("test"), "waiting: waits for web, api");
    run.exits("web", 0);
    assert_eq!(run.step("test"), "waiting: waits for api");
    run.wants(&["remove web 1"]);
    run.exits("api", 0);
    run.wants(&["remove api 1", "start test 1"]);
}

#[test]
fn a_step_that_the_limit_holds_back_says_so_and_starts_when_a_place_is_free() {
    let mut run = two_at_once(vec![after("a", &[]), after("b", &[]), after("c", &[])]);
    run.wants(&["start a 1", "start b 1"]);
    let why = "waiting: held back: 2 steps are under way, as --parallel allows";
    assert_eq!(run.step("c"), why);
    run.exits("b", 0);
    run.wants(&["remove b 1", "start c 1"]);
}

#[test]
fn held_back_steps_start_in_the_order_of_the_file() {
    let mut run = two_at_once(vec![
        after("a", &[]),
        after("b", &[]),
        after("c", &[]),
        after("d", &["a"]),
        after("e", &[]),
    ]);
    run.exits("a", 0);
    run.exits("c", 0);
    run.wants(&[
        "start a 1",
        "start b 1",
        "remove a 1",
        "start c 1",
        "remove c 1",
        "start d 1",
    ]);
}

#[test]
fn a_step_that_waits_to_try_again_keeps_its_place() {
    let mut run = two_at_once(vec![
        step("a", |it| it.retries = 1),
        after("b", &[]),
        after("c", &[]),
    ]);
    run.exits("a", 1);
    run.wants(&["start a 1", "start b 1", "remove a 1"]);
    run.seconds_pass(5);
    run.wants(&["start a 2"]);
}

#[test]
fn a_start_delay_takes_no_place_and_is_no_part_of_the_timeout() {
    let mut run = two_at_once(vec![step("late", |it| {
        it.start_delay_seconds = 60;
        it.timeout_seconds = 10;
    })]);
    assert_eq!(run.step("late"), "waiting: startDelay of 60 s");
    run.seconds_pass(60);
    run.wants(&["start late 1"]);
    run.seconds_pass(9);
    run.wants(&[]);
    run.seconds_pass(1);
    run.wants(&["stop late 1"]);
}

#[test]
fn a_start_delay_begins_when_the_parents_have_ended() {
    let late = step("late", |it| it.start_delay_seconds = 60);
    let mut run = Story::begun(vec![step("first", |_| {}), late]);
    run.seconds_pass(100);
    run.exits("first", 0);
    run.seconds_pass(59);
    run.wants(&["start first 1", "remove first 1"]);
    run.seconds_pass(1);
    run.wants(&["start late 1"]);
}

#[test]
fn a_pull_comes_first_and_is_tried_again_as_often_as_asked() {
    let mut run = Story::begun(vec![step("a", |it| {
        it.pull = true;
        it.pull_retries = 1;
        it.pull_retry_delay_seconds = 3;
    })]);
    run.cannot_be_pulled("a");
    run.wants(&["pull a"]);
    run.seconds_pass(3);
    run.wants(&["pull a"]);
    run.is_pulled("a");
    run.wants(&["start a 1"]);
}

#[test]
fn an_image_that_cannot_be_pulled_is_no_failure_of_the_step() {
    let mut run = Story::begun(vec![step("a", |it| it.pull = true)]);
    run.cannot_be_pulled("a");
    run.wants(&["pull a", "tidy"]);
    assert_eq!(run.step("a"), "errored: the registry is away");
    let why = "errored: failed to run step ID: a: the registry is away";
    assert_eq!(run.verdict(), why);
}

#[test]
fn a_pull_is_no_part_of_the_timeout() {
    let mut run = Story::begun(vec![step("a", |it| {
        it.pull = true;
        it.timeout_seconds = 10;
    })]);
    run.seconds_pass(100);
    run.is_pulled("a");
    run.seconds_pass(9);
    run.wants(&["pull a", "start a 1"]);
    run.seconds_pass(1);
    run.wants(&["stop a 1"]);
}
