//! Many runs, three workers, and kills, pauses and stops at random: every run ends once, and nothing is left.

use std::time::Duration;

use careen::{
    adapters::memory::containers::{Behaviour, Call},
    engine::RunStatus,
    ports::{Placement, RunStore},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::fleet::{Fleet, Process};

const TEXT: &str = "steps: [{id: s, cmd: busybox}, {id: t, cmd: busybox}, {id: u, cmd: busybox}]";

#[tokio::test(flavor = "multi_thread")]
async fn runs_end_well_and_once_whatever_happens_to_their_workers() {
    let seed = std::env::var("CAREEN_TEST_SEED")
        .ok()
        .and_then(|it| it.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().random());
    println!("CAREEN_TEST_SEED={seed}");
    let rounds = if std::env::var("CAREEN_TEST_ALL").is_ok() {
        200
    } else {
        20
    };
    let fleet = Fleet::new();
    for step in ["s", "t", "u"] {
        let sleep = Duration::from_millis(120);
        fleet.engine.behave(
            step,
            Behaviour {
                sleep,
                ..Behaviour::default()
            },
        );
    }
    let mut runs = Vec::new();
    for _ in 0..rounds {
        runs.push(fleet.enqueue(TEXT, &Placement::default()).await);
    }
    let mut random = StdRng::seed_from_u64(seed);
    let mut workers: Vec<Option<Process>> = vec![None, None, None];
    let mut harm = |fleet: &Fleet, workers: &mut Vec<Option<Process>>| {
        let at = random.random_range(0..3);
        match (workers[at].take(), random.random_range(0..4)) {
            (None, _) => workers[at] = Some(fleet.worker(&format!("w{at}"))),
            (Some(worker), 0) => worker.stop(),
            (Some(worker), 1) => {
                worker.pause(Duration::from_millis(random.random_range(10..3000)));
                workers[at] = Some(worker);
            }
            (Some(worker), _) => worker.kill(),
        }
        Duration::from_millis(random.random_range(20..400))
    };
    while !all_ended(&fleet, &runs).await {
        tokio::time::sleep(harm(&fleet, &mut workers)).await;
    }
    for run in &runs {
        let row = fleet.store.run(run).await.unwrap();
        assert_eq!(row.status, RunStatus::Succeeded, "{row:?}");
        let events = fleet.store.events(run, 1).await.unwrap();
        let ends = events.iter().filter(|event| event.kind == "tidied");
        assert_eq!(ends.count(), 1, "{run}");
    }
    for step in ["s", "t", "u"] {
        assert_eq!(fleet.engine.count(Call::Start, step), rounds, "{step}");
    }
    drop(workers);
    let _last = fleet.worker("last");
    fleet.until(|| fleet.engine.left_over().is_empty()).await;
}

async fn all_ended(fleet: &Fleet, runs: &[String]) -> bool {
    for run in runs {
        if !fleet.store.run(run).await.unwrap().status.is_ended() {
            return false;
        }
    }
    true
}
