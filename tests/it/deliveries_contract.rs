//! Every store keeps deliveries, decisions, sources and reports alike.

use std::{collections::BTreeMap, time::Duration};

use careen::{
    engine::RunStatus,
    ports::{
        Batch, Claim, DeliveryFilter, HookSource, NewDelivery, NewRun, Placement, Rejection,
        Report, Ruling, RunFilter, RunRow, Sealed, Starting, TaskDecision, Trigger, TriggerKind,
        Verdict,
    },
    triggers::{Move, Provider},
};
use futures_util::future::join_all;
use serde_json::json;

use crate::every_store::{Store, ample, new_run, on_every_store, time};

const LONG: Duration = Duration::from_secs(600);

fn delivery(id: &str) -> NewDelivery {
    NewDelivery {
        id: id.to_owned(),
        source: "hub".to_owned(),
        task: None,
        provider: Provider::Github,
        event: "push".to_owned(),
        headers: BTreeMap::from([("x-github-event".to_owned(), "push".to_owned())]),
        body: vec![b'{', 0, 0xff, b'}'],
        at: time(1),
    }
}

fn starting(id: &str, task: &str) -> Starting {
    let key = format!("source {task} repo main c1");
    Starting {
        trigger: "t".to_owned(),
        reason: "main is at c1".to_owned(),
        run: NewRun {
            trigger: Some(Trigger::new(
                TriggerKind::Source,
                key,
                json!({"commit": "c1"}),
            )),
            ..new_run(id)
        },
        place: Placement {
            task: Some(task.to_owned()),
            ..Placement::default()
        },
        report: Some(json!({"commit": "c1"})),
    }
}

fn to(before: Option<&str>, commit: &str) -> Option<Move> {
    Some(Move {
        repository: "repo".to_owned(),
        reference: "refs/heads/main".to_owned(),
        before: before.map(str::to_owned),
        commit: Some(commit.to_owned()),
        at: None,
        seen_at: None,
    })
}

fn verdict(delivery: Option<u64>, to: Option<Move>, starts: Vec<Starting>) -> Verdict {
    Verdict {
        delivery,
        scope: String::new(),
        replay: 0,
        rulings: vec![ruling(to, starts)],
        at: time(2),
    }
}

fn ruling(to: Option<Move>, starts: Vec<Starting>) -> Ruling {
    Ruling {
        to,
        starts,
        ..Ruling::none("no task watches it")
    }
}

async fn count_runs(store: &dyn Store) -> usize {
    store.runs(&RunFilter::default()).await.unwrap().len()
}

#[tokio::test]
async fn a_delivery_is_kept_once_however_often_it_comes() {
    on_every_store(async |store| {
        let (one, two) = (delivery("a"), delivery("b"));
        let both = [one.clone(), two.clone(), one.clone()];
        assert_eq!(store.accept(&both).await, Ok(vec![true, true, false]));
        assert_eq!(store.accept(&[one]).await, Ok(vec![false]));
        let all = DeliveryFilter {
            before: None,
            limit: 9,
        };
        let listed = store.deliveries(&all).await.unwrap();
        assert_eq!(
            listed.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert!(listed[0].body.is_empty());
        let older = DeliveryFilter {
            before: Some(listed[0].number),
            limit: 9,
        };
        assert_eq!(store.deliveries(&older).await.unwrap().len(), 1);
        let kept = store.delivery(listed[0].number).await.unwrap().unwrap();
        assert_eq!((kept.body, kept.headers), (two.body, two.headers));
        assert_eq!((kept.at, kept.provider), (two.at, two.provider));
        assert_eq!(store.delivery(99).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn what_nobody_decided_comes_again_and_what_was_decided_does_not() {
    on_every_store(async |store| {
        store.accept(&[delivery("a"), delivery("b")]).await.unwrap();
        let taken = store.undecided(1, Duration::ZERO).await.unwrap();
        assert_eq!((taken.len(), taken[0].id.as_str()), (1, "a"));
        let again = store.undecided(9, LONG).await.unwrap();
        assert_eq!(again.len(), 2, "the claim on the first has run out");
        assert_eq!(store.undecided(9, LONG).await, Ok(Vec::new()));
        let number = Some(taken[0].number);
        let decided = store
            .decide(&verdict(number, None, Vec::new()))
            .await
            .unwrap();
        assert_eq!(decided.summary, "nothing: no task watches it");
        let kept = store.delivery(taken[0].number).await.unwrap().unwrap();
        assert_eq!(kept.decision, Some(decided));
    })
    .await;
}

#[tokio::test]
async fn a_decision_its_head_and_its_runs_are_written_together_and_once() {
    on_every_store(async |store| {
        store.accept(&[delivery("a")]).await.unwrap();
        let number = Some(store.undecided(1, LONG).await.unwrap()[0].number);
        let starts = vec![starting("r1", "web"), starting("r2", "api")];
        let declined = TaskDecision {
            task: "docs".to_owned(),
            trigger: "t".to_owned(),
            run: None,
            reason: "no file that changed".to_owned(),
        };
        let mut wanted = verdict(number, to(None, "c1"), starts);
        wanted.rulings[0].declined.push(declined);
        let deciding = (0..4).map(|_| store.decide(&wanted));
        for decided in join_all(deciding).await {
            let decided = decided.unwrap();
            let tasks = decided
                .tasks
                .iter()
                .map(|it| (it.task.as_str(), it.run.as_deref()));
            let expected = [("web", Some("r1")), ("api", Some("r2")), ("docs", None)];
            assert_eq!(tasks.collect::<Vec<_>>(), expected);
        }
        assert_eq!(count_runs(store).await, 2);
        let run = store.run("r1").await.unwrap();
        let key = run.trigger.unwrap().key;
        assert_eq!(key, "source web repo main c1 visit 1");
    })
    .await;
}

#[tokio::test]
async fn a_push_of_several_branches_is_decided_branch_by_branch() {
    on_every_store(async |store| {
        store.accept(&[delivery("a")]).await.unwrap();
        let number = store.undecided(1, LONG).await.unwrap()[0].number;
        let branch = |name: &str, commit: &str| {
            to(None, commit).map(|it| Move {
                reference: format!("refs/heads/{name}"),
                ..it
            })
        };
        // The first branch stands there already, as another delivery told.
        let told = verdict(None, branch("main", "c1"), vec![starting("r0", "web")]);
        store.decide(&told).await.unwrap();
        let wanted = Verdict {
            rulings: vec![
                ruling(branch("main", "c1"), vec![starting("r1", "web")]),
                ruling(branch("next", "c2"), vec![starting("r2", "api")]),
                ruling(branch("old", "c3"), Vec::new()),
            ],
            ..verdict(Some(number), None, Vec::new())
        };
        let decided = store.decide(&wanted).await.unwrap();
        assert_eq!(
            decided.summary,
            "refs/heads/main: nothing: the reference stands at this commit already; \
             refs/heads/next: one run; refs/heads/old: nothing: no task watches it"
        );
        let runs: Vec<Option<&str>> = decided.tasks.iter().map(|it| it.run.as_deref()).collect();
        assert_eq!(runs, [None, Some("r2")]);
        assert_eq!(count_runs(store).await, 2, "r0 and r2");
        assert_eq!(store.decide(&wanted).await.unwrap(), decided, "once");
        let kept = store.delivery(number).await.unwrap().unwrap();
        assert_eq!(kept.decision, Some(decided));
    })
    .await;
}

#[tokio::test]
async fn hook_and_poll_start_one_run_a_return_another_and_what_is_late_none() {
    on_every_store(async |store| {
        let decide = async |id: &str, to: Option<Move>| {
            let wanted = verdict(None, to, vec![starting(id, "web")]);
            store.decide(&wanted).await.unwrap().summary
        };
        let seen = |commit: &str, at: i64| {
            to(None, commit).map(|it| Move {
                seen_at: Some(time(at).timestamp_millis()),
                ..it
            })
        };
        assert_eq!(decide("r1", to(None, "c1")).await, "one run");
        let already = "nothing: the reference stands at this commit already";
        assert_eq!(decide("r2", seen("c1", 3)).await, already);
        assert_eq!(decide("r3", to(Some("c1"), "c2")).await, "one run");
        assert_eq!(
            count_runs(store).await,
            1,
            "a task's commit has one cause key in this test"
        );
        let late = "nothing: the reference has moved on since";
        assert_eq!(
            decide("r4", to(Some("c0"), "c1")).await,
            "one run",
            "nobody heard of c0"
        );
        assert_eq!(decide("r5", to(Some("c0"), "c2")).await, late);
        assert_eq!(decide("r6", seen("c2", 1)).await, late);
        assert_eq!(count_runs(store).await, 2);
        let key = store.run("r4").await.unwrap().trigger.unwrap().key;
        assert!(key.ends_with("visit 2"), "{key}");
    })
    .await;
}

#[tokio::test]
async fn a_replay_starts_what_was_started_before_once_more() {
    on_every_store(async |store| {
        store.accept(&[delivery("a")]).await.unwrap();
        let number = store.undecided(1, LONG).await.unwrap()[0].number;
        let wanted = verdict(Some(number), to(None, "c1"), vec![starting("r1", "web")]);
        store.decide(&wanted).await.unwrap();
        assert_eq!(store.count_replay(number).await, Ok(1));
        let again = Verdict {
            replay: 1,
            rulings: vec![ruling(to(None, "c1"), vec![starting("r2", "web")])],
            ..wanted
        };
        let decided = store.decide(&again).await.unwrap();
        assert_eq!(decided.summary, "1 runs, as replay 1");
        assert_eq!(
            store.decide(&again).await.unwrap().tasks[0].run.as_deref(),
            Some("r2")
        );
        assert_eq!(count_runs(store).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_needs_approval_is_claimed_only_after_it() {
    on_every_store(async |store| {
        let mut wanted = starting("r1", "web");
        if let Some(trigger) = &mut wanted.run.trigger {
            trigger.needs_approval = true;
        }
        let decided = store
            .decide(&verdict(None, to(None, "c1"), vec![wanted]))
            .await
            .unwrap();
        assert!(decided.tasks[0].reason.contains("approval"), "{decided:?}");
        assert_eq!(store.claim(&worker()).await, Ok(None));
        assert_eq!(store.approve("r1", "ann").await, Ok(true));
        assert_eq!(store.approve("r1", "bob").await, Ok(false));
        assert!(store.claim(&worker()).await.unwrap().is_some());
        let trigger = store.run("r1").await.unwrap().trigger.unwrap();
        assert_eq!(trigger.approved_by.as_deref(), Some("ann"));
    })
    .await;
}

fn worker() -> Claim {
    Claim {
        worker: "w".to_owned(),
        engine: "e".to_owned(),
        pool: "default".to_owned(),
        time: LONG,
        left: ample(),
        homes: Vec::new(),
    }
}

#[tokio::test]
async fn a_report_is_due_at_first_and_at_the_end_until_it_is_told() {
    on_every_store(async |store| {
        let wanted = verdict(None, to(None, "c1"), vec![starting("r1", "web")]);
        store.decide(&wanted).await.unwrap();
        let due = async || store.due_reports(9, Duration::ZERO).await.unwrap();
        let first = due().await.remove(0);
        assert_eq!(
            (first.told.as_str(), &first.target["commit"]),
            ("", &json!("c1"))
        );
        assert_eq!(due().await.len(), 1, "nobody told it");
        let told = |word: &str| Report {
            told: word.to_owned(),
            ..first.clone()
        };
        store
            .reported(&told(Report::PENDING), Duration::ZERO)
            .await
            .unwrap();
        assert!(due().await.is_empty(), "the run has not ended");
        let lease = store.claim(&worker()).await.unwrap().unwrap().lease;
        let ended = RunRow {
            status: RunStatus::Failed,
            ended_at: Some(time(9)),
            ..store.run("r1").await.unwrap()
        };
        let batch = Batch {
            run: Some(ended),
            ..Batch::default()
        };
        store.record(&lease, &batch).await.unwrap();
        assert_eq!(due().await.len(), 1);
        let failing = Report {
            attempts: 1,
            ..told(Report::PENDING)
        };
        store.reported(&failing, LONG).await.unwrap();
        assert!(due().await.is_empty(), "it is tried again later");
        store.reported(&failing, Duration::ZERO).await.unwrap();
        assert_eq!(due().await[0].attempts, 1);
        store
            .reported(&told("failure"), Duration::ZERO)
            .await
            .unwrap();
        assert!(due().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn sources_and_refusals_are_kept_as_they_are() {
    on_every_store(async |store| {
        let sealed = |byte: u8| Sealed {
            key_id: "k".to_owned(),
            bytes: vec![byte, 0xff],
        };
        let source = HookSource {
            name: "hub".to_owned(),
            provider: Provider::AzureDevops,
            task: Some("web".to_owned()),
            secret: sealed(1),
            previous: None,
            token: None,
            api: None,
            updated_at: time(0),
        };
        store.put_source(&source).await.unwrap();
        let rotated = HookSource {
            secret: sealed(2),
            previous: Some((sealed(1), time(5))),
            token: Some(sealed(3)),
            api: Some("http://127.0.0.1:1".to_owned()),
            ..source
        };
        store.put_source(&rotated).await.unwrap();
        assert_eq!(store.sources().await, Ok(vec![rotated.clone()]));
        let anew = HookSource {
            secret: sealed(12),
            previous: Some((sealed(11), time(5))),
            token: Some(sealed(13)),
            ..rotated.clone()
        };
        assert_eq!(store.reseal_source(&rotated, &anew).await, Ok(true));
        assert_eq!(store.reseal_source(&rotated, &rotated).await, Ok(false));
        assert_eq!(store.sources().await, Ok(vec![anew]));
        assert_eq!(store.remove_source("hub").await, Ok(true));
        assert_eq!(store.remove_source("hub").await, Ok(false));
        let refused = |bytes| Rejection {
            at: time(1),
            from: "10.0.0.1".to_owned(),
            bytes,
            reason: "its signature is wrong".to_owned(),
        };
        store.reject(&refused(1)).await.unwrap();
        store.reject(&refused(2)).await.unwrap();
        assert_eq!(store.rejections(1).await, Ok(vec![refused(2)]));
    })
    .await;
}
