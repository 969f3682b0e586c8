//! Every store queues runs alike: order, limits, groups, cancellation, change of hands.

use std::time::Duration;

use careen::{
    engine::RunStatus,
    ports::{
        Batch, Cancellation, Claim, Enqueued, Group, GroupPolicy, Lease, LimitScope, NewRun,
        OnWorkerLoss, Place, Placement, RunFilter, RunRow, StoreError, Trigger, TriggerKind,
    },
};
use futures_util::future::join_all;
use serde_json::json;

use crate::every_store::{Store, ample, new_run, on_every_store, time};

const LONG: Duration = Duration::from_secs(600);

fn worker(name: &str) -> Claim {
    Claim {
        worker: name.to_owned(),
        engine: "engine-1".to_owned(),
        pool: "default".to_owned(),
        time: LONG,
        left: ample(),
        homes: Vec::new(),
    }
}

fn of_task(task: &str) -> Placement {
    Placement {
        task: Some(task.to_owned()),
        ..Placement::default()
    }
}

fn in_group(policy: GroupPolicy) -> Placement {
    let name = "deploy".to_owned();
    Placement {
        group: Some(Group { name, policy }),
        ..Placement::default()
    }
}

async fn enqueue(store: &dyn Store, id: &str, place: &Placement) -> Enqueued {
    store.enqueue(&new_run(id), place).await.unwrap()
}

async fn claim(store: &dyn Store) -> Option<Lease> {
    let claimed = store.claim(&worker("w1")).await.unwrap();
    claimed.map(|it| it.lease)
}

async fn claimed(store: &dyn Store) -> Option<String> {
    claim(store).await.map(|lease| lease.run)
}

async fn end(store: &dyn Store, lease: &Lease) {
    let run = RunRow {
        status: RunStatus::Succeeded,
        ended_at: Some(time(9)),
        ..store.run(&lease.run).await.unwrap()
    };
    let batch = Batch {
        run: Some(run),
        ..Batch::default()
    };
    store.record(lease, &batch).await.unwrap();
}

#[tokio::test]
async fn runs_are_claimed_by_priority_then_age_and_only_in_their_pool() {
    on_every_store(async |store| {
        let with_priority = |priority| Placement {
            priority,
            ..Placement::default()
        };
        let arm = Placement {
            pool: "arm".to_owned(),
            ..Placement::default()
        };
        for (id, place) in [
            ("old", with_priority(0)),
            ("low", with_priority(-1)),
            ("elsewhere", arm),
            ("urgent", with_priority(7)),
            ("new", with_priority(0)),
        ] {
            enqueue(store, id, &place).await;
        }
        store.create_run(&new_run("local")).await.unwrap();
        for expected in ["urgent", "old", "new", "low"] {
            assert_eq!(claimed(store).await.as_deref(), Some(expected));
        }
        assert_eq!(claimed(store).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_claimed_run_shows_its_worker_and_where_it_was_placed() {
    on_every_store(async |store| {
        let place = Placement {
            on_worker_loss: OnWorkerLoss::Error,
            ..in_group(GroupPolicy::Queue)
        };
        enqueue(store, "r1", &place).await;
        let waiting = store.run("r1").await.unwrap();
        assert_eq!((waiting.status, waiting.owner), (RunStatus::Queued, None));
        let lease = claim(store).await.unwrap();
        assert_eq!((lease.owner.as_str(), lease.generation), ("w1", 1));
        let run = store.run("r1").await.unwrap();
        assert_eq!(run.status, RunStatus::Preparing);
        assert_eq!(
            (run.placement, run.owner),
            (Some(place), Some("w1".to_owned()))
        );
    })
    .await;
}

#[tokio::test]
async fn a_limit_holds_runs_back_says_so_and_lets_the_next_go_when_one_ends() {
    for scope in [
        LimitScope::Global,
        LimitScope::Pool("default".to_owned()),
        LimitScope::Task("web".to_owned()),
    ] {
        on_every_store(async |store| {
            store.set_limit(&scope, Some(1)).await.unwrap();
            for id in ["r1", "r2", "r3"] {
                enqueue(store, id, &of_task("web")).await;
            }
            let first = claim(store).await.unwrap();
            assert_eq!(claimed(store).await, None);
            let place = store.place("r3").await.unwrap().unwrap();
            assert_eq!(place.ahead, 1);
            assert_eq!(place.waits_for, [scope.reason(1, 1)]);
            end(store, &first).await;
            assert_eq!(claimed(store).await.as_deref(), Some("r2"));
            assert_eq!(claimed(store).await, None);
            store.set_limit(&scope, None).await.unwrap();
            assert_eq!(claimed(store).await.as_deref(), Some("r3"));
        })
        .await;
    }
}

#[tokio::test]
async fn a_full_limit_does_not_hold_other_runs_back() {
    on_every_store(async |store| {
        let web = LimitScope::Task("web".to_owned());
        store.set_limit(&web, Some(1)).await.unwrap();
        store.set_limit(&LimitScope::Global, Some(2)).await.unwrap();
        for (id, task) in [("w1", "web"), ("w2", "web"), ("a1", "api"), ("a2", "api")] {
            enqueue(store, id, &of_task(task)).await;
        }
        let web_run = claim(store).await.unwrap();
        let api_run = claim(store).await.unwrap();
        assert_eq!((web_run.run.as_str(), api_run.run.as_str()), ("w1", "a1"));
        assert_eq!(claimed(store).await, None);
        // The room under the global limit goes to the task that has room too.
        end(store, &api_run).await;
        assert_eq!(claimed(store).await.as_deref(), Some("a2"));
        end(store, &web_run).await;
        assert_eq!(claimed(store).await.as_deref(), Some("w2"));
        let limits = store.limits().await.unwrap();
        let used = limits
            .iter()
            .map(|limit| (limit.scope.as_str(), limit.used));
        assert_eq!(used.collect::<Vec<_>>(), [("global", 2), ("task:web", 1)]);
    })
    .await;
}

#[tokio::test]
async fn the_line_of_a_pool_is_in_the_order_of_claims_with_what_limits_hold_back() {
    on_every_store(async |store| {
        let web = LimitScope::Task("web".to_owned());
        store.set_limit(&web, Some(1)).await.unwrap();
        let urgent = Placement {
            priority: 5,
            ..Placement::default()
        };
        let elsewhere = Placement {
            pool: "arm".to_owned(),
            ..Placement::default()
        };
        for (id, place) in [
            ("w1", of_task("web")),
            ("w2", of_task("web")),
            ("a1", of_task("api")),
            ("u1", urgent),
            ("e1", elsewhere),
        ] {
            enqueue(store, id, &place).await;
        }
        let line = async |limit: u32| -> Vec<String> {
            let line = store.line("default", limit).await.unwrap();
            line.into_iter().map(|run| run.id).collect()
        };
        assert_eq!(line(9).await, ["u1", "w1", "w2", "a1"]);
        assert_eq!(claimed(store).await.as_deref(), Some("u1"));
        assert_eq!(claimed(store).await.as_deref(), Some("w1"));
        assert_eq!(claimed(store).await.as_deref(), Some("a1"));
        assert_eq!(claimed(store).await, None, "w2 is held back");
        enqueue(store, "a2", &of_task("api")).await;
        assert_eq!(line(9).await, ["w2", "a2"]);
        assert_eq!(line(1).await, ["w2"]);
    })
    .await;
}

#[tokio::test]
async fn a_raised_limit_lets_as_many_go_as_it_now_has_room_for() {
    on_every_store(async |store| {
        let global = LimitScope::Global;
        store.set_limit(&global, Some(0)).await.unwrap();
        for id in ["r1", "r2", "r3"] {
            enqueue(store, id, &Placement::default()).await;
        }
        assert_eq!(claimed(store).await, None);
        store.set_limit(&global, Some(2)).await.unwrap();
        assert_eq!(claimed(store).await.as_deref(), Some("r1"));
        assert_eq!(claimed(store).await.as_deref(), Some("r2"));
        assert_eq!(claimed(store).await, None);
    })
    .await;
}

#[tokio::test]
async fn one_run_of_a_group_is_under_way_and_the_next_waits_for_it() {
    on_every_store(async |store| {
        let place = in_group(GroupPolicy::Queue);
        enqueue(store, "r1", &place).await;
        enqueue(store, "r2", &place).await;
        let first = claim(store).await.unwrap();
        assert_eq!(claimed(store).await, None);
        let waits = store.place("r2").await.unwrap().unwrap().waits_for;
        assert_eq!(
            waits,
            ["another run of the concurrency group deploy is under way"]
        );
        end(store, &first).await;
        assert_eq!(claimed(store).await.as_deref(), Some("r2"));
    })
    .await;
}

#[tokio::test]
async fn a_new_run_supersedes_what_waits_and_what_is_under_way() {
    on_every_store(async |store| {
        let place = in_group(GroupPolicy::CancelSuperseded);
        enqueue(store, "running", &place).await;
        let first = claim(store).await.unwrap();
        enqueue(store, "waiting", &place).await;
        let superseded = match enqueue(store, "new", &place).await {
            Enqueued::Waiting { superseded } => superseded,
            other => panic!("{other:?}"),
        };
        assert_eq!(superseded, ["running", "waiting"]);
        let waiting = store.run("waiting").await.unwrap();
        assert_eq!(waiting.status, RunStatus::Canceled);
        assert_eq!(waiting.reason.as_deref(), Some("superseded by run new"));
        let wishes = store.cancel_requests("w1").await.unwrap();
        let wish = (wishes[0].run.as_str(), wishes[0].reason.as_str());
        assert_eq!(wish, ("running", "superseded by run waiting"));
        assert_eq!(claimed(store).await, None);
        end(store, &first).await;
        assert_eq!(claimed(store).await.as_deref(), Some("new"));
    })
    .await;
}

#[tokio::test]
async fn a_run_is_skipped_while_another_of_its_group_has_not_ended() {
    on_every_store(async |store| {
        let place = in_group(GroupPolicy::Skip);
        enqueue(store, "r1", &place).await;
        let by = "r1".to_owned();
        assert_eq!(enqueue(store, "r2", &place).await, Enqueued::Skipped { by });
        let skipped = store.run("r2").await.unwrap();
        assert_eq!(skipped.status, RunStatus::Canceled);
        assert!(skipped.reason.unwrap().contains("run r1"));
        let first = claim(store).await.unwrap();
        end(store, &first).await;
        let waiting = Enqueued::Waiting {
            superseded: Vec::new(),
        };
        assert_eq!(enqueue(store, "r3", &place).await, waiting);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_canceled_wherever_it_stands_and_the_first_reason_counts() {
    on_every_store(async |store| {
        enqueue(store, "r1", &Placement::default()).await;
        enqueue(store, "r2", &Placement::default()).await;
        assert_eq!(store.cancel("r2", "by ada").await, Ok(Cancellation::Ended));
        assert_eq!(
            store.cancel("r2", "again").await,
            Ok(Cancellation::TooLate(RunStatus::Canceled))
        );
        let events = store.events("r2", 1).await.unwrap();
        assert_eq!(events[0].kind, "cancel_requested");
        claim(store).await.unwrap();
        for reason in ["by bob", "by eve"] {
            let requested = store.cancel("r1", reason).await;
            assert_eq!(requested, Ok(Cancellation::Requested));
        }
        let wishes = store.cancel_requests("w1").await.unwrap();
        assert_eq!((wishes.len(), wishes[0].reason.as_str()), (1, "by bob"));
        assert_eq!(claimed(store).await, None);
        let none = StoreError::NoSuchRun("r9".to_owned());
        assert_eq!(store.cancel("r9", "").await, Err(none));
    })
    .await;
}

#[tokio::test]
async fn a_canceled_run_holds_nobody_up() {
    on_every_store(async |store| {
        store.set_limit(&LimitScope::Global, Some(1)).await.unwrap();
        for id in ["r1", "r2", "r3"] {
            enqueue(store, id, &Placement::default()).await;
        }
        let first = claim(store).await.unwrap();
        assert_eq!(claimed(store).await, None);
        store.cancel("r2", "by ada").await.unwrap();
        end(store, &first).await;
        assert_eq!(claimed(store).await.as_deref(), Some("r3"));
    })
    .await;
}

#[tokio::test]
async fn a_run_is_taken_over_once_lease_and_grace_are_over_and_later_from_another_engine() {
    on_every_store(async |store| {
        enqueue(store, "r1", &Placement::default()).await;
        let first = claim(store).await.unwrap();
        let other = Claim {
            engine: "engine-2".to_owned(),
            ..worker("w2")
        };
        // Long enough that a slow machine gets from one grace to the next in time.
        let grace = Duration::from_secs(2);
        assert_eq!(store.take_over(&worker("w2"), grace).await, Ok(None));
        store.renew(&first, Duration::ZERO).await.unwrap();
        assert_eq!(store.take_over(&worker("w2"), grace).await, Ok(None));
        tokio::time::sleep(grace + Duration::from_millis(20)).await;
        assert_eq!(store.take_over(&other, grace).await, Ok(None));
        let taken = store
            .take_over(&worker("w2"), grace)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (taken.lease.run.as_str(), taken.engine.as_str()),
            ("r1", "engine-1")
        );
        assert!(taken.lease.token > first.token);
        let lost = Err(StoreError::LeaseLost("r1".to_owned()));
        assert_eq!(store.record(&first, &Batch::default()).await, lost);
        assert_eq!(store.take_over(&other, Duration::ZERO).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_handed_over_is_taken_at_once_on_the_same_engine_and_later_on_another() {
    on_every_store(async |store| {
        enqueue(store, "r1", &Placement::default()).await;
        let first = claim(store).await.unwrap();
        store.hand_over(&first, LONG).await.unwrap();
        let elsewhere = Claim {
            engine: "engine-2".to_owned(),
            ..worker("w3")
        };
        assert_eq!(store.take_over(&elsewhere, LONG).await, Ok(None));
        let taken = store.take_over(&worker("w2"), LONG).await.unwrap().unwrap();
        assert_eq!(taken.lease.owner, "w2");
        let lost = Err(StoreError::LeaseLost("r1".to_owned()));
        assert_eq!(store.hand_over(&first, LONG).await, lost);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_comes_back_takes_its_own_runs_at_once() {
    on_every_store(async |store| {
        enqueue(store, "r1", &Placement::default()).await;
        claim(store).await.unwrap();
        assert_eq!(store.reclaim(&worker("w2")).await, Ok(Vec::new()));
        let moved = Claim {
            engine: "engine-2".to_owned(),
            ..worker("w1")
        };
        assert_eq!(store.reclaim(&moved).await, Ok(Vec::new()));
        let taken = store.reclaim(&worker("w1")).await.unwrap();
        assert_eq!((taken.len(), taken[0].lease.run.as_str()), (1, "r1"));
    })
    .await;
}

#[tokio::test]
async fn a_requeued_run_begins_its_next_generation_from_nothing() {
    on_every_store(async |store| {
        store.set_limit(&LimitScope::Global, Some(1)).await.unwrap();
        enqueue(store, "r1", &Placement::default()).await;
        let first = claim(store).await.unwrap();
        store.requeue(&first).await.unwrap();
        assert!(store.place("r1").await.unwrap().is_some());
        let second = claim(store).await.unwrap();
        assert_eq!((second.run.as_str(), second.generation), ("r1", 2));
        assert!(store.requeue(&first).await.is_err());
        assert!(store.record(&first, &Batch::default()).await.is_err());
        assert_eq!(store.events("r1", 2).await, Ok(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn lists_and_depths_tell_pools_tasks_and_local_runs_apart() {
    on_every_store(async |store| {
        enqueue(store, "r1", &of_task("web")).await;
        enqueue(store, "r2", &of_task("api")).await;
        store.create_run(&new_run("mine")).await.unwrap();
        let listed = async |filter: RunFilter| {
            let runs = store.runs(&filter).await.unwrap();
            runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
        };
        let of_web = RunFilter {
            task: Some("web".to_owned()),
            ..RunFilter::default()
        };
        let local = RunFilter {
            local: true,
            ..RunFilter::default()
        };
        let pooled = RunFilter {
            pool: Some("default".to_owned()),
            ..RunFilter::default()
        };
        assert_eq!(listed(of_web).await, ["r1"]);
        assert_eq!(listed(local).await, ["mine"]);
        assert_eq!(listed(pooled).await, ["r2", "r1"]);
        let depths = store.depths().await.unwrap();
        assert_eq!((depths[0].pool.as_str(), depths[0].waiting), ("default", 2));
        let counts = async || {
            let counts = store.unfinished().await.unwrap();
            let parts = counts.iter().map(|it| (it.status, it.runs, it.held));
            parts.collect::<Vec<_>>()
        };
        assert_eq!(counts().await, [(RunStatus::Queued, 3, 0)]);
        let lease = claim(store).await.unwrap();
        let claimed = (RunStatus::Preparing, 1, 1);
        assert_eq!(counts().await, [claimed, (RunStatus::Queued, 2, 0)]);
        let first = store.run("r2").await.unwrap().created_at;
        assert_eq!(store.unfinished().await.unwrap()[1].oldest, first);
        store.requeue(&lease).await.unwrap();
        let waits_for = Vec::new();
        let place = store.place("r2").await.unwrap();
        assert_eq!(
            place,
            Some(Place {
                ahead: 1,
                waits_for
            })
        );
        assert_eq!(store.place("mine").await, Ok(None));
    })
    .await;
}

async fn woken(wake_ups: &mut tokio::sync::watch::Receiver<u64>) {
    let changed = tokio::time::timeout(LONG, wake_ups.changed()).await;
    changed.expect("it is woken").expect("the store is there");
}

#[tokio::test]
async fn who_waits_for_work_is_woken() {
    on_every_store(async |store| {
        let mut wake_ups = store.wake_ups();
        wake_ups.mark_unchanged();
        enqueue(store, "r1", &Placement::default()).await;
        woken(&mut wake_ups).await;
        let lease = claim(store).await.unwrap();
        wake_ups.mark_unchanged();
        store.hand_over(&lease, LONG).await.unwrap();
        woken(&mut wake_ups).await;
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_placed_run_is_kept_until_it_has_been_told() {
    on_every_store(async |store| {
        for id in ["driven", "canceled"] {
            enqueue(store, id, &Placement::default()).await;
        }
        store.create_run(&new_run("local")).await.unwrap();
        let local = store.lease_run("local", "me", LONG, false).await.unwrap();
        let driven = claim(store).await.unwrap();
        assert_eq!(store.take_ends(LONG, 9).await.unwrap(), [""; 0]);
        end(store, &driven).await;
        end(store, &local).await;
        store.cancel("canceled", "no need").await.unwrap();
        assert_eq!(store.untold_ends().await.unwrap(), 2);
        let moment = Duration::from_millis(1);
        assert_eq!(store.take_ends(moment, 1).await.unwrap().len(), 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        // The first was not told in time, and comes again.
        let mut taken = store.take_ends(LONG, 9).await.unwrap();
        taken.sort();
        assert_eq!(taken, ["canceled", "driven"]);
        assert_eq!(store.take_ends(LONG, 9).await.unwrap(), [""; 0]);
        for id in taken {
            store.forget_end(&id).await.unwrap();
        }
        assert_eq!(store.untold_ends().await.unwrap(), 0);
    })
    .await;
}

fn caused(id: &str, key: &str) -> NewRun {
    NewRun {
        trigger: Some(Trigger::new(
            TriggerKind::Source,
            key,
            json!({"commit": "c0ffee"}),
        )),
        ..new_run(id)
    }
}

#[tokio::test]
async fn one_cause_starts_one_run_even_after_that_run_is_forgotten() {
    on_every_store(async |store| {
        let place = Placement::default();
        let first = caused("r1", "push 1");
        store.enqueue(&first, &place).await.unwrap();
        let shown = store.run("r1").await.unwrap();
        assert_eq!(shown.trigger, first.trigger);
        let listed = store.runs(&RunFilter::default()).await.unwrap();
        assert_eq!(listed[0].trigger, first.trigger);
        let known = Ok(Enqueued::Known {
            run: "r1".to_owned(),
        });
        assert_eq!(store.enqueue(&caused("r2", "push 1"), &place).await, known);
        let taken = Err(StoreError::CauseTaken("r1".to_owned()));
        assert_eq!(store.create_run(&caused("r2", "push 1")).await, taken);
        assert!(store.run("r2").await.is_err());
        store.delete_run("r1").await.unwrap();
        assert_eq!(store.enqueue(&caused("r2", "push 1"), &place).await, known);
        enqueue(store, "by hand", &place).await;
        store
            .enqueue(&caused("r2", "push 2"), &place)
            .await
            .unwrap();
        assert_eq!(store.runs(&RunFilter::default()).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_cause_that_many_see_at_once_starts_one_run() {
    on_every_store(async |store| {
        let place = Placement::default();
        let runs: Vec<NewRun> = (0..8).map(|i| caused(&format!("r{i}"), "push")).collect();
        let enqueued = join_all(runs.iter().map(|run| store.enqueue(run, &place))).await;
        let waiting =
            |it: &&Result<Enqueued, StoreError>| matches!(it, Ok(Enqueued::Waiting { .. }));
        assert!(enqueued.iter().all(Result::is_ok), "{enqueued:?}");
        assert_eq!(enqueued.iter().filter(waiting).count(), 1);
        assert_eq!(store.runs(&RunFilter::default()).await.unwrap().len(), 1);
    })
    .await;
}
