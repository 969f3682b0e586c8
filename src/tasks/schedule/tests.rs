//! Schedules against ACR's rules, against clocks that jump, and against downtime.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use proptest::prelude::*;

use super::{Schedule, due, in_words, jitter};
use crate::tasks::{CatchUp, TimerTrigger};

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

fn times(schedule: &str, zone: Option<&str>, from: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::read(schedule, zone).unwrap();
    let times = schedule.after(at(from)).take(count);
    times
        .map(|it| it.format("%Y-%m-%dT%H:%M").to_string())
        .collect()
}

#[test]
fn five_fields_mean_what_they_mean_in_acr() {
    let next = |text: &str| times(text, None, "2026-11-21T15:30", 1).remove(0);
    for (text, expected) in [
        ("0 3 * * *", "2026-11-22T03:00"),
        ("*/15 * * * *", "2026-11-21T15:45"),
        // From 40 to the end of the hour, every 7 minutes.
        ("40/7 * * * *", "2026-11-21T15:40"),
        ("5,10-12 16 * * *", "2026-11-21T16:05"),
        ("0 0 31 * *", "2026-12-31T00:00"),
        // Both must match: the first Sunday that is a 1st.
        ("0 0 1 * 0", "2027-08-01T00:00"),
        ("0 0 * * sat", "2026-11-28T00:00"),
        ("0 0 * * 5-6", "2026-11-27T00:00"),
        ("0 0 1 jan-feb *", "2027-01-01T00:00"),
        ("0 0 1 J *", "2027-01-01T00:00"),
        ("0 0 29 2 1", "2044-02-29T00:00"),
    ] {
        assert_eq!(next(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_schedule_is_refused_with_the_reason() {
    for (text, reason) in [
        ("0 3 * *", "4 fields"),
        ("0 0 3 * * *", "6 fields"),
        ("@daily", "1 fields"),
        ("60 * * * *", "60 is not from 0 to 59"),
        ("* * * * 7", "Sunday is 0"),
        ("* * 0 * *", "0 is not from 1 to 31"),
        ("* * L * *", "\"L\" is no number"),
        ("* * ? * *", "\"?\" is no number"),
        ("* * * * 5#2", "neither a number nor an English name"),
        ("0 -1 * * *", "\"\" is no number"),
        ("+1 * * * *", "no number"),
        ("*/60 * * * *", "a step is from 1 to 59"),
        ("*/0 * * * *", "a step is from 1 to 59"),
        ("0 0 * * 6-2", "goes backwards"),
        ("0 0 31 2 *", "can never fire"),
        ("0 0 31 4,6,9,11 *", "can never fire"),
        ("", "0 fields"),
    ] {
        let error = Schedule::read(text, None).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let error = Schedule::read("0 0 * * *", Some("Mars/Base")).unwrap_err();
    assert!(error.to_string().contains("Europe/Berlin"), "{error}");
}

#[test]
fn a_time_that_the_clock_jumps_over_fires_after_the_jump_and_one_that_comes_twice_fires_once() {
    let new_york = Some("America/New_York");
    assert_eq!(
        times("30 2 * * *", new_york, "2026-03-07T12:00", 2),
        ["2026-03-08T07:00", "2026-03-09T06:30"]
    );
    assert_eq!(
        times("30 1 * * *", new_york, "2026-10-31T12:00", 2),
        ["2026-11-01T05:30", "2026-11-02T06:30"]
    );
    // The second pass of the hour that comes twice is at rest.
    assert_eq!(
        times("*/30 * * * *", new_york, "2026-11-01T05:00", 3),
        ["2026-11-01T05:30", "2026-11-01T07:00", "2026-11-01T07:30"]
    );
}

#[test]
fn what_was_missed_is_caught_up_with_as_the_policy_says() {
    let schedule = Schedule::read("0 * * * *", None).unwrap();
    let decide = |now: &str, policy| due(&schedule, at("2026-11-21T03:00"), at(now), policy);
    let started = |now: &str, policy| decide(now, policy).start.len();
    // On time, every policy starts the one run.
    for policy in [CatchUp::Skip, CatchUp::Latest, CatchUp::All] {
        let on_time = decide("2026-11-21T03:01", policy);
        assert_eq!(on_time.start, [at("2026-11-21T03:00")]);
        assert_eq!(on_time.missed, None);
        assert_eq!(on_time.next, Some(at("2026-11-21T04:00")));
    }
    let late = decide("2026-11-21T06:20", CatchUp::Latest);
    assert_eq!(late.start, [at("2026-11-21T06:00")]);
    assert!(late.missed.unwrap().reason.contains("catch_up is latest"));
    assert_eq!(started("2026-11-21T06:20", CatchUp::Skip), 0);
    // The one that is not late is no downtime's victim.
    assert_eq!(started("2026-11-21T06:02", CatchUp::Skip), 1);
    assert_eq!(started("2026-11-21T06:20", CatchUp::All), 4);
    let years = decide("2031-11-21T06:20", CatchUp::All);
    assert_eq!(years.start.len(), 25);
    assert_eq!(years.start.last(), Some(&at("2031-11-21T06:00")));
    assert!(years.missed.is_some());
    // An occurrence of a rare schedule is found however far back it is.
    let rare = Schedule::read("0 0 29 2 *", None).unwrap();
    let found = due(
        &rare,
        at("2024-02-29T00:00"),
        at("2027-01-01T00:00"),
        CatchUp::Latest,
    );
    assert_eq!(found.start, [at("2024-02-29T00:00")]);
}

#[test]
fn coming_times_are_told_in_words() {
    let schedule = Schedule::read("0 3 * * *", Some("Europe/Berlin")).unwrap();
    let now = at("2026-11-21T15:30");
    let words = |time| in_words(time, schedule.zone(), now);
    let coming: Vec<String> = schedule.after(now).take(2).map(words).collect();
    assert_eq!(
        coming,
        [
            "tomorrow at 03:00 Europe/Berlin, in 10 hours 30 minutes",
            "Monday 23 November 2026 at 03:00 Europe/Berlin, in 1 day 10 hours",
        ]
    );
}

#[test]
fn jitter_is_spread_over_its_range_and_the_same_everywhere() {
    let mut trigger = TimerTrigger::new("nightly", "0 3 * * *");
    let draw = |trigger: &TimerTrigger, task: u32| {
        jitter(&format!("task-{task}"), trigger, at("2026-11-21T03:00")).num_seconds()
    };
    assert_eq!(draw(&trigger, 1), 0);
    trigger.jitter_seconds = 600;
    let draws: Vec<i64> = (0..200).map(|task| draw(&trigger, task)).collect();
    assert!(draws.iter().all(|it| (0..=600).contains(it)));
    assert!(draws.iter().any(|it| *it < 100) && draws.iter().any(|it| *it > 500));
    assert_eq!(draw(&trigger, 1), draws[1]);
}

proptest! {
    /// The crate's arithmetic against a plain walk over minutes.
    #[test]
    fn the_next_time_is_the_first_minute_whose_fields_all_match(
        minute in 0_u32..60, hour in 0_u32..24, step in 1_u32..12, day in 0_u32..7, start in 0_i64..500_000,
    ) {
        let text = format!("{minute} {hour}/{step} * * {day}");
        prop_assume!(step <= 23);
        let from = at("2026-01-01T00:00") + TimeDelta::minutes(start);
        let matches = |time: &DateTime<Utc>| {
            time.minute() == minute
                && time.hour() >= hour
                && (time.hour() - hour).is_multiple_of(step)
                && time.weekday().num_days_from_sunday() == day
        };
        let expected = (1..).map(|it| from + TimeDelta::minutes(it)).find(matches);
        prop_assert_eq!(Schedule::read(&text, None).unwrap().next_after(from), expected);
    }
}
