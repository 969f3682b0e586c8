//! Workers take runs, share them out, and lose none, whatever happens to one of them.

mod chaos;
mod fleet;

use std::time::Duration;

use careen::{
    adapters::memory::containers::{Behaviour, Call, MemoryEngine},
    engine::RunStatus,
    ports::{
        Cancellation, Containers, LimitScope, OnWorkerLoss, Placement, Queue, Resource, RunStore,
    },
};

use fleet::{Fleet, PATIENCE};

const ONE_STEP: &str = "steps: [{id: s, cmd: busybox}]";

/// How long a step takes that is to be found running.
const WHILE: Duration = Duration::from_millis(2500);

fn slow(engine: &MemoryEngine) {
    let numbers: String = (0..200).map(|n| format!("line {n}\n")).collect();
    let behaviour = Behaviour {
        sleep: WHILE,
        output: numbers,
        ..Behaviour::default()
    };
    engine.behave("s", behaviour);
}

#[tokio::test]
async fn a_worker_drives_what_is_queued_to_its_end() {
    let fleet = Fleet::new();
    let worker = fleet.worker("w1");
    let good = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    let wrong = fleet
        .enqueue("steps: [{id: s, cdm: x}]", &Placement::default())
        .await;
    assert_eq!(fleet.ended(&good).await.status, RunStatus::Succeeded);
    let wrong = fleet.ended(&wrong).await;
    assert_eq!(wrong.status, RunStatus::Failed);
    assert!(wrong.reason.unwrap().contains("cdm"));
    worker.stop();
    assert_eq!(fleet.engine.left_over(), []);
}

#[tokio::test]
async fn workers_keep_to_the_limit_together() {
    let fleet = Fleet::new();
    fleet.engine.behave(
        "s",
        Behaviour {
            sleep: Duration::from_millis(50),
            ..Behaviour::default()
        },
    );
    let two = Some(2);
    fleet
        .store
        .set_limit(&LimitScope::Global, two)
        .await
        .unwrap();
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(fleet.enqueue(ONE_STEP, &Placement::default()).await);
    }
    let workers = ["w1", "w2", "w3"].map(|name| fleet.worker(name));
    for run in &runs {
        assert_eq!(fleet.ended(run).await.status, RunStatus::Succeeded);
    }
    assert_eq!(fleet.engine.most_running(), 2);
    workers.into_iter().for_each(fleet::Process::stop);
}

#[tokio::test]
async fn a_run_under_way_is_canceled_with_the_reason_that_was_given() {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let _worker = fleet.worker("w1");
    let run = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    fleet.until_started("s").await;
    let canceled = fleet.app.cancel(&run, "by ada").await.unwrap();
    assert_eq!(canceled, Cancellation::Requested);
    let ended = fleet.ended(&run).await;
    assert_eq!(ended.status, RunStatus::Canceled);
    assert_eq!(ended.reason.as_deref(), Some("by ada"));
    assert_eq!(fleet.engine.left_over(), []);
}

#[tokio::test]
async fn another_worker_goes_on_with_the_container_of_one_that_was_killed() {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let run = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    let first = fleet.worker("w1");
    fleet.until_started("s").await;
    first.kill();
    let _second = fleet.worker("w2");
    fleet.assert_went_on(&run).await;
}

#[tokio::test]
async fn a_killed_worker_that_comes_back_goes_on_at_once() {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let run = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    let first = fleet.worker_with("w1", Duration::from_secs(600));
    fleet.until_started("s").await;
    first.kill();
    let _again = fleet.worker_with("w1", Duration::from_secs(600));
    fleet.assert_went_on(&run).await;
}

#[tokio::test]
async fn a_worker_that_stops_hands_its_runs_over_as_they_run() {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let run = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    let first = fleet.worker_with("w1", Duration::from_secs(600));
    fleet.until_started("s").await;
    first.stop();
    let _second = fleet.worker_with("w2", Duration::from_secs(600));
    fleet.assert_went_on(&run).await;
}

#[tokio::test]
async fn a_worker_that_is_idle_takes_what_another_hands_over() {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let run = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    let first = fleet.worker_with("w1", Duration::from_secs(600));
    fleet.until_started("s").await;
    let _second = fleet.worker_with("w2", Duration::from_secs(600));
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.stop();
    let handed = std::time::Instant::now();
    let owner = async || fleet.store.run(&run).await.unwrap().owner;
    while owner().await.as_deref() != Some("w2") {
        assert!(handed.elapsed() < PATIENCE, "nobody takes it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    fleet.assert_went_on(&run).await;
}

#[tokio::test]
async fn a_paused_worker_starts_and_removes_nothing_once_another_has_its_run() {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let text = "steps: [{id: s, cmd: busybox}, {id: after, cmd: busybox, when: [s]}]";
    let run = fleet.enqueue(text, &Placement::default()).await;
    let first = fleet.worker("w1");
    fleet.until_started("s").await;
    // Longer than the lease, its grace and the rest of the run.
    first.pause(WHILE + Duration::from_secs(3));
    let _second = fleet.worker("w2");
    fleet.assert_went_on(&run).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(fleet.engine.count(Call::Start, "after"), 1);
    assert_eq!(fleet.engine.left_over(), []);
}

#[tokio::test]
async fn a_worker_paused_before_its_first_start_starts_nothing() {
    let fleet = Fleet::new();
    fleet.engine.stall(Call::Start);
    let run = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    let first = fleet.worker("w1");
    fleet.until_made("s").await;
    first.pause(Duration::from_secs(4));
    fleet.engine.resume(Call::Start);
    let _second = fleet.worker("w2");
    assert_eq!(fleet.ended(&run).await.status, RunStatus::Succeeded);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(fleet.engine.count(Call::Start, "s"), 1);
    assert_eq!(fleet.engine.left_over(), []);
}

/// What becomes of a run whose containers are out of reach: its status, and its generation then.
const AFTER_LOSS: [(OnWorkerLoss, RunStatus, u32); 2] = [
    (OnWorkerLoss::Retry, RunStatus::Succeeded, 2),
    (OnWorkerLoss::Error, RunStatus::Errored, 1),
];

/// A run whose worker was killed while its step ran.
async fn lost(on_worker_loss: OnWorkerLoss) -> (Fleet, String) {
    let fleet = Fleet::new();
    slow(&fleet.engine);
    let place = Placement {
        on_worker_loss,
        ..Placement::default()
    };
    let run = fleet.enqueue(ONE_STEP, &place).await;
    let first = fleet.worker("w1");
    fleet.until_started("s").await;
    first.kill();
    (fleet, run)
}

#[tokio::test]
async fn a_run_whose_engine_is_gone_begins_anew_or_ends_as_its_task_says() {
    for (on_worker_loss, status, generation) in AFTER_LOSS {
        let (fleet, run) = lost(on_worker_loss).await;
        let other = MemoryEngine::new();
        other.any_image();
        let second = fleet.worker_on("w2", &other);
        let ended = fleet.ended(&run).await;
        assert_eq!(
            (ended.status, ended.generation),
            (status, generation),
            "{ended:?}"
        );
        second.stop();
        assert_eq!(other.left_over(), []);
        // The first generation is swept as soon as a worker of its engine is back.
        let _back = fleet.worker("w3");
        fleet.until(|| fleet.engine.left_over().is_empty()).await;
    }
}

#[tokio::test]
async fn a_run_whose_containers_went_with_its_worker_begins_anew_or_ends_as_its_task_says() {
    for (on_worker_loss, status, generation) in AFTER_LOSS {
        let (fleet, run) = lost(on_worker_loss).await;
        // As a worker does that is cut off from its database.
        let all = Default::default();
        let left = fleet.engine.list(Resource::Container, &all).await;
        for container in left.unwrap() {
            fleet.engine.remove(&container.id).await.unwrap();
        }
        let second = fleet.worker("w2");
        let ended = fleet.ended(&run).await;
        assert_eq!(
            (ended.status, ended.generation),
            (status, generation),
            "{ended:?}"
        );
        assert_eq!(fleet.engine.count(Call::Start, "s"), generation as usize);
        second.stop();
        assert_eq!(fleet.engine.left_over(), []);
    }
}

#[tokio::test]
async fn a_run_of_no_pool_is_left_alone() {
    let fleet = Fleet::new();
    let run = crate::every_store::new_run("mine");
    fleet.store.create_run(&run).await.unwrap();
    let _worker = fleet.worker("w1");
    let queued = fleet.enqueue(ONE_STEP, &Placement::default()).await;
    fleet.ended(&queued).await;
    let mine = fleet.store.run("mine").await.unwrap();
    assert_eq!(mine.owner, None);
}
