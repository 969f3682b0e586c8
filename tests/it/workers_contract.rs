//! Every store knows workers alike, and gives each only runs that fit it.

use std::{collections::BTreeMap, time::Duration};

use careen::ports::{Capacity, Claim, Needs, OnWorkerLoss, Placement, WorkerFacts, WorkerState};

use crate::every_store::{Store, ample, new_run, on_every_store};

const GIB: u64 = 1 << 30;

fn labels(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    let all = all.iter();
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn facts(name: &str) -> WorkerFacts {
    WorkerFacts {
        name: name.to_owned(),
        pool: "default".to_owned(),
        capacity: ample(),
        parallel_runs: 4,
        engine: "engine-1".to_owned(),
        engine_version: "20.10".to_owned(),
        version: "1.2.3".to_owned(),
        problem: None,
    }
}

fn claim(worker: &str, left: Capacity) -> Claim {
    Claim {
        worker: worker.to_owned(),
        engine: "engine-1".to_owned(),
        pool: "default".to_owned(),
        time: Duration::from_secs(600),
        left,
        homes: Vec::new(),
    }
}

async fn enqueue(store: &dyn Store, id: &str, priority: i32, needs: &Needs) {
    let place = Placement {
        priority,
        needs: needs.clone(),
        ..Placement::default()
    };
    store.enqueue(&new_run(id), &place).await.unwrap();
}

async fn claimed(store: &dyn Store, left: &Capacity) -> Option<String> {
    let claimed = store.claim(&claim("w1", left.clone())).await.unwrap();
    claimed.map(|it| it.lease.run)
}

#[tokio::test]
async fn a_worker_is_known_with_what_it_said_last_and_the_runs_that_it_drives() {
    on_every_store(async |store| {
        let first = WorkerFacts {
            problem: Some("no engine".to_owned()),
            ..facts("w1")
        };
        store.worker_is_here(&first).await.unwrap();
        store.worker_is_here(&facts("w2")).await.unwrap();
        let elsewhere = WorkerFacts {
            pool: "arm".to_owned(),
            ..facts("w3")
        };
        let heard = store.worker_is_here(&elsewhere).await.unwrap();
        assert_eq!(heard.workers, ["w3"]);
        let heard = store.worker_is_here(&facts("w1")).await.unwrap();
        let mut workers = heard.workers;
        workers.sort_unstable();
        assert_eq!(heard.state, WorkerState::Active);
        assert_eq!(workers, ["w1", "w2"]);
        enqueue(store, "r1", 0, &Needs::default()).await;
        enqueue(store, "r2", 0, &Needs::default()).await;
        claimed(store, &ample()).await.unwrap();
        let known = store.workers().await.unwrap();
        assert_eq!(
            [&known[0].facts, &known[1].facts],
            [&facts("w1"), &facts("w2")]
        );
        assert_eq!(
            (known[0].runs.as_slice(), known[1].runs.len()),
            (["r1".to_owned()].as_slice(), 0)
        );
        assert!(known[0].is_here(), "{known:?}");
        assert!((chrono::Utc::now() - known[0].seen_at).num_seconds().abs() < 60);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_is_to_drain_claims_nothing_until_it_may_again_even_when_it_comes_back() {
    on_every_store(async |store| {
        store.worker_is_here(&facts("w1")).await.unwrap();
        enqueue(store, "r1", 0, &Needs::default()).await;
        assert_eq!(
            store.set_worker("w1", WorkerState::Draining).await,
            Ok(true)
        );
        assert_eq!(
            store.set_worker("w9", WorkerState::Draining).await,
            Ok(false)
        );
        assert_eq!(claimed(store, &ample()).await, None);
        store.worker_left("w1").await.unwrap();
        let heard = store.worker_is_here(&facts("w1")).await.unwrap();
        assert_eq!(heard.state, WorkerState::Draining);
        assert_eq!(heard.workers, [""; 0], "it takes no runs");
        assert_eq!(claimed(store, &ample()).await, None);
        store.set_worker("w1", WorkerState::Active).await.unwrap();
        assert_eq!(claimed(store, &ample()).await.as_deref(), Some("r1"));
        store.worker_left("w1").await.unwrap();
        assert_eq!(store.workers().await, Ok(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_claim_takes_only_what_fits_and_lets_others_go_before_what_does_not() {
    let cpu = |cpu_millis| Needs {
        cpu_millis,
        ..Needs::default()
    };
    let memory = |gib| Needs {
        memory_bytes: gib * GIB,
        ..Needs::default()
    };
    let platform = |name: &str| Needs {
        platform: Some(name.to_owned()),
        ..Needs::default()
    };
    let label = |name, value| Needs {
        labels: labels(&[(name, value)]),
        ..Needs::default()
    };
    let has = Capacity {
        cpu_millis: 2000,
        memory_bytes: 4 * GIB,
        platforms: vec!["linux".to_owned(), "linux/amd64".to_owned()],
        labels: labels(&[("disk", "ssd"), ("zone", "a'b\"")]),
    };
    let both = Needs {
        cpu_millis: 2000,
        memory_bytes: 4 * GIB,
        platform: Some("linux".to_owned()),
        labels: has.labels.clone(),
    };
    let rows = [
        (cpu(2000), true),
        (cpu(2001), false),
        (memory(4), true),
        (memory(5), false),
        (platform("linux/amd64"), true),
        (platform("linux/arm64"), false),
        (label("disk", "ssd"), true),
        (label("disk", "hdd"), false),
        (label("gpu", "yes"), false),
        (both.clone(), true),
        (
            Needs {
                memory_bytes: 5 * GIB,
                ..both
            },
            false,
        ),
    ];
    on_every_store(async |store| {
        for (number, (needs, fits)) in rows.iter().enumerate() {
            let (first, second) = (format!("first{number}"), format!("second{number}"));
            enqueue(store, &first, 1, needs).await;
            enqueue(store, &second, 0, &Needs::default()).await;
            let expected = if *fits { &first } else { &second };
            assert_eq!(
                claimed(store, &has).await.as_ref(),
                Some(expected),
                "{needs:?}"
            );
            let place = store
                .place(if *fits { &second } else { &first })
                .await
                .unwrap();
            assert!(place.is_some(), "the other one waits on");
            for run in [first, second] {
                store.cancel(&run, "the next row").await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn of_those_that_fit_the_first_goes_whatever_each_demands() {
    on_every_store(async |store| {
        let small = Needs {
            cpu_millis: 500,
            ..Needs::default()
        };
        let large = Needs {
            cpu_millis: 90_000,
            ..Needs::default()
        };
        let demands = [
            (&large, 9),
            (&small, 0),
            (&Needs::default(), 0),
            (&small, 0),
            (&Needs::default(), 3),
            (&small, 3),
        ];
        for (number, (needs, priority)) in demands.into_iter().enumerate() {
            enqueue(store, &format!("r{number}"), priority, needs).await;
        }
        let mut order = Vec::new();
        while let Some(run) = claimed(store, &ample()).await {
            order.push(run);
        }
        assert_eq!(order, ["r4", "r5", "r1", "r2", "r3"]);
    })
    .await;
}

#[tokio::test]
async fn what_a_run_demands_comes_back_with_it_whoever_takes_it() {
    on_every_store(async |store| {
        let needs = Needs {
            cpu_millis: 1500,
            memory_bytes: GIB,
            platform: Some("linux/amd64".to_owned()),
            labels: labels(&[("disk", "ssd")]),
        };
        let place = Placement {
            needs: needs.clone(),
            on_worker_loss: OnWorkerLoss::Error,
            ..Placement::default()
        };
        store.enqueue(&new_run("r1"), &place).await.unwrap();
        let has = Capacity {
            labels: needs.labels.clone(),
            ..ample()
        };
        let first = store
            .claim(&claim("w1", has.clone()))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first.needs(), needs);
        assert_eq!(store.run("r1").await.unwrap().placement, Some(place));
        let again = store
            .reclaim(&claim("w1", Capacity::default()))
            .await
            .unwrap();
        assert_eq!(again[0].needs, needs);
        store
            .hand_over(&again[0].lease, Duration::from_secs(600))
            .await
            .unwrap();
        let taken = store
            .take_over(&claim("w2", Capacity::default()), Duration::from_secs(600))
            .await;
        assert_eq!(taken.unwrap().unwrap().needs, needs);
    })
    .await;
}
