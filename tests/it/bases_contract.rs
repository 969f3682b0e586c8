//! Every store keeps what is known of base images alike: a move is seen once, and starts one run.

use careen::{
    ports::{
        BaseDecision, Enqueued, Looked, NewBase, NewDecision, NewRun, Observation, Placement,
        Trigger, TriggerKind, Watch,
    },
    tasks::Follow,
    triggers::Base,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::every_store::{Store, new_run, on_every_store};

const GO: &str = "r.io/go:1";

/// A moment in milliseconds, as stores of base images keep them.
fn second(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + number, 123_000_000).unwrap()
}

fn base(key: &str, stood_on: Option<&str>) -> NewBase {
    NewBase {
        base: Base {
            key: key.to_owned(),
            is_runtime: true,
            stood_on: stood_on.map(str::to_owned),
        },
        repository: key.split(':').next().unwrap().to_owned(),
        rule: None,
    }
}

async fn put(store: &dyn Store, task: &str, bases: &[NewBase]) {
    let learned = ("task", second(0));
    store.put_bases(task, bases, learned).await.unwrap();
}

async fn claim(store: &dyn Store, now: i64, limit: u32) -> Vec<Watch> {
    let now = second(now);
    let held = now + TimeDelta::seconds(60);
    store.claim_watches(now, held, limit).await.unwrap()
}

fn seen(key: &str, from: Option<&str>, to: &str) -> Observation {
    Observation {
        key: key.to_owned(),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        etag: Some(format!("\"{to}\"")),
        how: "poll".to_owned(),
        at: second(5),
        next_at: second(900),
    }
}

fn decision(task: &str, due: Option<i64>) -> NewDecision {
    NewDecision {
        task: task.to_owned(),
        due_at: due.map(second),
        reason: format!("about {task}"),
    }
}

fn run(id: &str, key: &str) -> NewRun {
    NewRun {
        trigger: Some(Trigger::new(TriggerKind::BaseImage, key, json!({}))),
        ..new_run(id)
    }
}

async fn due(store: &dyn Store, now: i64) -> Vec<BaseDecision> {
    store.due_moves(second(now)).await.unwrap()
}

fn numbers(decisions: &[BaseDecision]) -> Vec<i64> {
    decisions.iter().map(|it| it.number).collect()
}

#[tokio::test]
async fn what_several_tasks_stand_on_is_watched_once_and_until_the_last_lets_go() {
    on_every_store(async |store| {
        put(
            store,
            "a",
            &[base(GO, Some("sha256:1")), base("r.io/c:1", None)],
        )
        .await;
        put(store, "b", &[base(GO, Some("sha256:2"))]).await;
        let keys = async |task: Option<&'static str>| -> Vec<String> {
            let watches = store.watches(task).await.unwrap();
            watches.into_iter().map(|it| it.key).collect()
        };
        assert_eq!(keys(None).await, ["r.io/c:1", GO]);
        assert_eq!(keys(Some("b")).await, [GO]);
        let on: Vec<_> = store.bases_on(GO).await.unwrap();
        let on: Vec<_> = on
            .iter()
            .map(|it| (it.task.as_str(), it.stood_on.as_deref()))
            .collect();
        assert_eq!(on, [("a", Some("sha256:1")), ("b", Some("sha256:2"))]);
        put(store, "a", &[]).await;
        assert_eq!(keys(None).await, [GO]);
        put(store, "b", &[]).await;
        assert_eq!(keys(None).await, [""; 0]);
        assert_eq!(store.bases(None).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_look_is_claimed_by_one_and_a_failing_one_keeps_what_was_seen() {
    on_every_store(async |store| {
        put(store, "a", &[base(GO, Some("sha256:1"))]).await;
        assert_eq!(claim(store, 1, 9).await.len(), 1);
        assert_eq!(claim(store, 1, 9).await, []);
        let look = |next: i64, problem: Option<&str>| Looked {
            key: GO.to_owned(),
            at: second(2),
            next_at: second(next),
            problem: problem.map(str::to_owned),
        };
        store.looked(&[look(10, Some("no route"))]).await.unwrap();
        store.looked(&[look(20, Some("no route"))]).await.unwrap();
        assert_eq!(claim(store, 19, 9).await, []);
        let failing = claim(store, 20, 9).await.remove(0);
        assert_eq!((failing.failures, failing.looked_at), (2, None));
        assert_eq!(failing.problem.as_deref(), Some("no route"));
        assert_eq!(failing.seen.as_deref(), Some("sha256:1"));
        store.looked(&[look(30, None)]).await.unwrap();
        let fine = store.watches(None).await.unwrap().remove(0);
        assert_eq!((fine.failures, fine.problem), (0, None));
        assert_eq!(
            (fine.looked_at, fine.next_at),
            (Some(second(2)), second(30))
        );
    })
    .await;
}

#[tokio::test]
async fn a_notification_prompts_looks_at_the_tag_and_at_rules_that_follow_its_repository() {
    on_every_store(async |store| {
        let rule = Follow {
            image: "r.io/go".to_owned(),
            versions: Some("^1".to_owned()),
            pattern: None,
            sets: None,
        };
        let follow = NewBase {
            repository: "r.io/go".to_owned(),
            rule: Some(rule.clone()),
            ..base("r.io/go:1{^1}", Some("1"))
        };
        put(
            store,
            "a",
            &[base(GO, None), base("r.io/go:2", None), follow],
        )
        .await;
        for watch in claim(store, 1, 9).await {
            let look = Looked {
                key: watch.key,
                at: second(1),
                next_at: second(900),
                problem: None,
            };
            store.looked(&[look]).await.unwrap();
        }
        let prompt = ("notification of hub", second(2));
        assert_eq!(store.look_now("r.io/go", "1", prompt).await.unwrap(), 2);
        assert_eq!(store.look_now("r.io/other", "1", prompt).await.unwrap(), 0);
        let mut prompted = claim(store, 2, 9).await;
        prompted.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(prompted[0].key, GO);
        assert_eq!(prompted[0].prompt.as_deref(), Some("notification of hub"));
        assert_eq!(prompted[1].rule, Some(rule));
        store
            .observe(&seen(GO, None, "sha256:1"), &[])
            .await
            .unwrap();
        let after = store.watches(None).await.unwrap();
        assert_eq!(after.iter().find(|it| it.key == GO).unwrap().prompt, None);
    })
    .await;
}

#[tokio::test]
async fn a_move_is_recorded_once_with_its_decisions() {
    on_every_store(async |store| {
        put(store, "a", &[base(GO, Some("sha256:1"))]).await;
        let moved = seen(GO, Some("sha256:1"), "sha256:2");
        let decisions = [decision("a", Some(60)), decision("b", None)];
        assert!(store.observe(&moved, &decisions).await.unwrap());
        assert!(!store.observe(&moved, &decisions).await.unwrap());
        let told = store.decisions(None, 9).await.unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].task.as_str(), told[0].due_at), ("b", None));
        let of_a = store.decisions(Some("a"), 9).await.unwrap().remove(0);
        assert_eq!(of_a.from.as_deref(), Some("sha256:1"));
        assert_eq!((of_a.to.as_str(), of_a.how.as_str()), ("sha256:2", "poll"));
        assert_eq!((of_a.at, of_a.due_at), (second(5), Some(second(60))));
        assert_eq!(of_a.reason, "about a");
        let watch = store.watches(None).await.unwrap().remove(0);
        assert_eq!(watch.seen.as_deref(), Some("sha256:2"));
        assert_eq!(watch.etag.as_deref(), Some("\"sha256:2\""));
        assert_eq!(watch.next_at, second(900));
    })
    .await;
}

#[tokio::test]
async fn all_that_moved_when_the_first_is_due_starts_one_run() {
    on_every_store(async |store| {
        put(
            store,
            "a",
            &[base(GO, Some("1")), base("r.io/c:1", Some("1"))],
        )
        .await;
        let settling = [decision("a", Some(60)), decision("b", Some(90))];
        store
            .observe(&seen(GO, Some("1"), "2"), &settling)
            .await
            .unwrap();
        let late = [decision("a", Some(100))];
        store
            .observe(&seen("r.io/c:1", Some("1"), "2"), &late)
            .await
            .unwrap();
        assert_eq!(due(store, 59).await, []);
        let moves = due(store, 60).await;
        let tasks: Vec<_> = moves.iter().map(|it| (&*it.task, &*it.key)).collect();
        assert_eq!(tasks, [("a", GO), ("a", "r.io/c:1")]);
        let all = numbers(&moves);
        let place = Placement::default();
        let started = store
            .start_moved(&all, &run("r1", "k1"), &place)
            .await
            .unwrap();
        let waiting = Enqueued::Waiting {
            superseded: Vec::new(),
        };
        assert_eq!(started, Some(waiting));
        // Another server that is late starts nothing.
        let again = store
            .start_moved(&all, &run("r2", "k2"), &place)
            .await
            .unwrap();
        assert_eq!(again, None);
        assert!(store.run("r2").await.is_err());
        for told in store.decisions(Some("a"), 9).await.unwrap() {
            assert_eq!(told.run.as_deref(), Some("r1"));
        }
        let of_b = due(store, 90).await;
        store
            .take_back(&numbers(&of_b), "the task is gone")
            .await
            .unwrap();
        assert_eq!(due(store, 90).await, []);
        let told = store.decisions(Some("b"), 9).await.unwrap().remove(0);
        assert_eq!((told.run, told.due_at), (None, None));
        assert_eq!(told.reason, "about b; the task is gone");
    })
    .await;
}
