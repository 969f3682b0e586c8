//! Every store keeps timers alike: claimed by one, moved with the run they start, never lost, never doubled.

use std::collections::BTreeSet;

use careen::ports::{
    Enqueued, Firing, NewRun, NewTimer, Placement, RunFilter, RunStore, TimedRun, Timer, Timers,
    Trigger, TriggerKind,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::every_store::{Store, connect, new_run, on_every_store, on_postgres_at};

/// A whole minute; timers know nothing finer than milliseconds.
fn minute(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_040 + 60 * number, 0).unwrap()
}

fn timer(name: &str, next: i64) -> NewTimer {
    NewTimer {
        name: name.to_owned(),
        spec: "0 3 * * * UTC 0".to_owned(),
        next_at: minute(next),
        due_at: minute(next) + TimeDelta::seconds(30),
    }
}

fn run_of(timer: &Timer, id: &str) -> NewRun {
    NewRun {
        trigger: Some(Trigger::new(
            TriggerKind::Timer,
            format!("timer/{}/{}/{}", timer.task, timer.name, timer.next_at),
            json!({}),
        )),
        ..new_run(id)
    }
}

/// Fires once, a minute after the next time.
fn firing(timer: &Timer, id: &str) -> Firing {
    let next = timer.next_at + TimeDelta::hours(1);
    Firing {
        timer: timer.clone(),
        runs: vec![TimedRun {
            at: timer.next_at,
            run: run_of(timer, id),
            place: Placement::default(),
        }],
        passed: None,
        next: Some((next, next)),
        decided_at: minute(5),
    }
}

async fn claim(store: &dyn Store, now: i64, limit: u32) -> Vec<Timer> {
    let now = minute(now);
    let held = now + TimeDelta::minutes(1);
    store.claim_timers(now, held, limit).await.unwrap()
}

async fn names(store: &dyn Store, task: Option<&str>) -> Vec<String> {
    let timers = store.timers(task).await.unwrap();
    timers
        .iter()
        .map(|it| format!("{}/{}", it.task, it.name))
        .collect()
}

#[tokio::test]
async fn a_timer_is_claimed_when_it_is_due_and_by_nobody_else_until_the_claim_lapses() {
    on_every_store(async |store| {
        let early = [timer("late", 4), timer("early", 2), timer("far", 90)];
        store.put_timers("t", 1, &early).await.unwrap();
        assert_eq!(claim(store, 2, 9).await, []); // its jitter is not over
        let found = claim(store, 5, 1).await;
        assert_eq!((found.len(), found[0].name.as_str()), (1, "early"));
        assert_eq!(found[0].next_at, minute(2));
        let found = claim(store, 5, 9).await;
        assert_eq!((found.len(), found[0].name.as_str()), (1, "late"));
        assert_eq!(claim(store, 5, 9).await, []);
        assert_eq!(claim(store, 6, 9).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_run_and_the_next_time_are_written_together_and_only_once() {
    on_every_store(async |store| {
        store.put_timers("t", 1, &[timer("a", 2)]).await.unwrap();
        let claimed = claim(store, 5, 9).await.remove(0);
        let fired = store.fire(&[firing(&claimed, "r1")]).await.unwrap();
        let waiting = Enqueued::Waiting {
            superseded: Vec::new(),
        };
        assert_eq!(fired, [Some(vec![waiting])]);
        let moved = store.timers(Some("t")).await.unwrap().remove(0);
        assert_eq!(moved.next_at, claimed.next_at + TimeDelta::hours(1));
        // A server that comes late with the same claim moves nothing and starts nothing.
        let again = store.fire(&[firing(&claimed, "r2")]).await.unwrap();
        assert_eq!(again, [None]);
        // Even a timer that was made anew for the same time starts no second run.
        store.put_timers("t", 2, &[]).await.unwrap();
        store.put_timers("t", 3, &[timer("a", 2)]).await.unwrap();
        let claimed = claim(store, 5, 9).await.remove(0);
        let third = store.fire(&[firing(&claimed, "r3")]).await.unwrap();
        let run = "r1".to_owned();
        assert_eq!(third, [Some(vec![Enqueued::Known { run }])]);
        let runs = store.runs(&RunFilter::default()).await.unwrap();
        assert_eq!(runs.len(), 1);
        let told = store.occurrences("t", 9).await.unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(told[1].run.as_deref(), Some("r1"));
        assert_eq!((told[1].at, told[1].decided_at), (minute(2), minute(5)));
        assert!(told[0].reason.contains("already"), "{}", told[0].reason);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_cannot_be_written_leaves_its_timer_where_it_was() {
    on_every_store(async |store| {
        store.put_timers("t", 1, &[timer("a", 2)]).await.unwrap();
        let claimed = claim(store, 5, 9).await.remove(0);
        store
            .enqueue(&new_run("taken"), &Placement::default())
            .await
            .unwrap();
        assert!(store.fire(&[firing(&claimed, "taken")]).await.is_err());
        assert_eq!(store.timers(None).await.unwrap(), [claimed]);
        assert_eq!(store.occurrences("t", 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn what_is_passed_over_is_recorded_with_its_reason_and_a_last_time_ends_the_timer() {
    on_every_store(async |store| {
        store.put_timers("t", 1, &[timer("a", 2)]).await.unwrap();
        let claimed = claim(store, 5, 9).await.remove(0);
        let last = Firing {
            runs: Vec::new(),
            passed: Some((minute(2), "missed".to_owned())),
            next: None,
            ..firing(&claimed, "r1")
        };
        assert_eq!(store.fire(&[last]).await.unwrap(), [Some(Vec::new())]);
        assert_eq!(store.timers(None).await.unwrap(), []);
        let told = store.occurrences("t", 9).await.unwrap();
        assert_eq!(
            (told[0].run.clone(), told[0].reason.as_str()),
            (None, "missed")
        );
    })
    .await;
}

#[tokio::test]
async fn a_timer_that_could_not_fire_rests_says_why_and_is_due_again() {
    on_every_store(async |store| {
        store.put_timers("t", 1, &[timer("a", 2)]).await.unwrap();
        let claimed = claim(store, 5, 9).await.remove(0);
        let until = minute(20);
        store
            .postpone_timer(&claimed, until, "no disk")
            .await
            .unwrap();
        assert_eq!(claim(store, 19, 9).await, []);
        let again = claim(store, 20, 9).await.remove(0);
        assert_eq!(again.problem.as_deref(), Some("no disk"));
        store.fire(&[firing(&again, "r1")]).await.unwrap();
        assert_eq!(store.timers(None).await.unwrap()[0].problem, None);
    })
    .await;
}

#[tokio::test]
async fn timers_follow_their_task_and_an_older_version_changes_nothing() {
    on_every_store(async |store| {
        let first = [timer("a", 2), timer("b", 3)];
        store.put_timers("t", 5, &first).await.unwrap();
        store.put_timers("u", 1, &[timer("a", 2)]).await.unwrap();
        assert_eq!(names(store, None).await, ["t/a", "t/b", "u/a"]);
        // The same schedule keeps its time, whenever it is said again; another schedule begins anew.
        let other = NewTimer {
            spec: "other".to_owned(),
            ..timer("b", 8)
        };
        store
            .put_timers("t", 6, &[timer("a", 9), other])
            .await
            .unwrap();
        let times = async || -> Vec<_> {
            let timers = store.timers(Some("t")).await.unwrap();
            timers.iter().map(|it| it.next_at).collect()
        };
        assert_eq!(times().await, [minute(2), minute(8)]);
        let stale = NewTimer {
            spec: "stale".to_owned(),
            ..timer("a", 1)
        };
        store.put_timers("t", 5, &[stale]).await.unwrap();
        assert_eq!(times().await, [minute(2), minute(8)]);
        store.put_timers("t", 7, &[]).await.unwrap();
        assert_eq!(names(store, None).await, ["u/a"]);
    })
    .await;
}

#[tokio::test]
async fn many_servers_fire_each_occurrence_once() {
    on_postgres_at(async |address| {
        let first = connect(&address).await;
        for task in 0..60 {
            let timers = [timer("a", 2)];
            first
                .put_timers(&format!("t{task}"), 1, &timers)
                .await
                .unwrap();
        }
        let mut servers = tokio::task::JoinSet::new();
        for server in 0..4 {
            let store = connect(&address).await;
            servers.spawn(async move {
                let mut fired = 0;
                loop {
                    let claimed = claim(&store, 5, 7).await;
                    if claimed.is_empty() {
                        return fired;
                    }
                    let named = |it: &Timer| firing(it, &format!("r-{server}-{}", it.task));
                    let firings: Vec<Firing> = claimed.iter().map(named).collect();
                    let answers = store.fire(&firings).await.unwrap();
                    fired += answers.iter().flatten().count();
                }
            });
        }
        let fired: usize = servers.join_all().await.iter().sum();
        let runs = first.runs(&RunFilter::default()).await.unwrap();
        let keys: BTreeSet<_> = runs
            .iter()
            .map(|it| &it.trigger.as_ref().unwrap().key)
            .collect();
        assert_eq!((fired, runs.len(), keys.len()), (60, 60, 60));
    })
    .await;
}
