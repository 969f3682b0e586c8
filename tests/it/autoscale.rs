//! A pool gets more workers as soon as they are wanted, and fewer only when they have not been for a while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use careen::{
    app::{PoolLoad, ScaleTerms, Scaler},
    ports::{EngineError, Placement, Services},
};
use tokio::time::Instant;

use crate::{every_store::new_run, world::World};

fn terms() -> ScaleTerms {
    ScaleTerms {
        service: "careen_worker".to_owned(),
        pool: "default".to_owned(),
        min: 1,
        max: 10,
        runs_per_worker: 4,
        longest_wait: Duration::from_secs(30),
        cool_down: Duration::from_secs(300),
        every: Duration::from_secs(10),
    }
}

/// Seconds from the start, runs that wait and that are under way, seconds of the longest wait, and what is set then.
type Look = (u64, u64, u64, u64, Option<u64>);

fn plays(story: &str, mut replicas: u64, looks: &[Look]) {
    let (mut scaler, start) = (Scaler::new(terms()), Instant::now());
    for (at, waiting, under_way, oldest, expected) in looks {
        let load = PoolLoad {
            waiting: *waiting,
            under_way: *under_way,
            oldest: Duration::from_secs(*oldest),
        };
        let set = scaler.decide(start + Duration::from_secs(*at), load, replicas);
        assert_eq!(set, *expected, "{story}: at {at} s");
        replicas = set.unwrap_or(replicas);
    }
}

#[test]
fn replicas_follow_the_queue_within_bounds_and_go_down_only_after_the_cool_down() {
    plays(
        "enough is enough",
        2,
        &[(0, 0, 8, 0, None), (10, 0, 7, 0, None)],
    );
    plays(
        "more at once",
        1,
        &[(0, 5, 4, 1, Some(3)), (10, 20, 12, 5, Some(8))],
    );
    plays(
        "never beyond the bounds",
        1,
        &[(0, 500, 4, 1, Some(10)), (10, 900, 40, 60, None)],
    );
    plays(
        "a long wait wants one more",
        3,
        &[
            (0, 1, 8, 29, None),
            (10, 1, 8, 31, Some(4)),
            (20, 1, 8, 41, Some(5)),
        ],
    );
    plays(
        "a lull costs nothing",
        4,
        &[
            (0, 0, 16, 0, None),
            (150, 0, 0, 0, None),
            (290, 0, 15, 0, None),
            (400, 0, 0, 0, None),
        ],
    );
    plays(
        "after the cool-down what was the most of it is enough",
        8,
        &[
            (0, 0, 32, 0, None),
            (100, 0, 3, 0, None),
            (250, 0, 9, 0, None),
            (420, 0, 2, 0, Some(3)),
            (730, 0, 0, 0, Some(1)),
        ],
    );
    plays(
        "none goes at the first look",
        8,
        &[(0, 0, 0, 0, None), (10, 0, 0, 0, None)],
    );
}

struct Swarm(AtomicU64);

#[async_trait]
impl Services for Swarm {
    async fn replicas(&self, _: &str) -> Result<u64, EngineError> {
        Ok(self.0.load(SeqCst))
    }

    async fn set_replicas(&self, _: &str, replicas: u64) -> Result<(), EngineError> {
        self.0.store(replicas, SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn what_waits_in_its_pool_is_what_a_service_follows() {
    let world = World::new().await;
    let swarm = Arc::new(Swarm(AtomicU64::new(1)));
    let mut scaler = Scaler::new(terms());
    for number in 0..9 {
        let elsewhere = Placement {
            pool: "arm".to_owned(),
            ..Placement::default()
        };
        for (name, place) in [("here", Placement::default()), ("there", elsewhere)] {
            let run = new_run(&format!("{name}{number}"));
            let run = careen::ports::NewRun {
                created_at: world.app.ports.clock.now(),
                ..run
            };
            world.app.queue.enqueue(&run, &place).await.unwrap();
        }
    }
    assert_eq!(
        scaler.look(&world.app, swarm.as_ref()).await.unwrap(),
        Some(3)
    );
    assert_eq!(scaler.look(&world.app, swarm.as_ref()).await.unwrap(), None);
    assert_eq!(swarm.0.load(SeqCst), 3);
}
