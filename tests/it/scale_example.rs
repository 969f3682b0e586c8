//! `examples/scale`: a simulated day loses no run and doubles none, and the same seed gives the same day.

#[allow(dead_code)]
#[path = "../../examples/scale/main.rs"]
mod scale;

use clap::Parser;

/// What a small day with this seed comes to, in words.
fn day(seed: &str) -> String {
    let words = "scale --workers 30 --tasks 60 --runs 400 --hours 1 --losses 6 --seed";
    let words = words.split(' ').chain([seed]);
    let (lost, report) = scale::day(&scale::Size::parse_from(words));
    assert_eq!(lost, 0, "{report}");
    report
}

#[test]
fn the_same_seed_gives_the_same_day_and_none_loses_or_doubles_a_run() {
    let first = day("1");
    assert!(
        first.contains("400 queued, 400 ended, 0 lost, 0 doubled"),
        "{first}"
    );
    assert_eq!(first, day("1"));
    let other = day("2").replacen("seed 2", "seed 1", 1);
    assert_ne!(first, other);
}
