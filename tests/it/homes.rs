//! Every store gives a worker first, of runs that may go alike, those of tasks that are at home with it.

use std::time::Duration;

use careen::{
    adapters::memory::store::MemoryStore,
    ports::{Claim, LimitScope, NEAR, Placement, Queue, RunStore},
    tasks::{bucket, homes},
};

use crate::every_store::{ample, new_run, on_every_store};

fn of_task(task: &str) -> Placement {
    Placement {
        task: Some(task.to_owned()),
        ..Placement::default()
    }
}

fn claim(worker: &str, homes: Vec<u8>) -> Claim {
    Claim {
        worker: worker.to_owned(),
        engine: worker.to_owned(),
        pool: "default".to_owned(),
        time: Duration::from_secs(600),
        left: ample(),
        homes,
    }
}

#[tokio::test]
async fn of_equal_runs_a_worker_takes_first_what_is_at_home_with_it_and_leaves_nothing_waiting() {
    for limit in [None, Some(99)] {
        on_every_store(async |store| {
            store.set_limit(&LimitScope::Global, limit).await.unwrap();
            let urgent = Placement {
                priority: 5,
                ..of_task("api")
            };
            for (id, place) in [
                ("a1", of_task("api")),
                ("n1", Placement::default()),
                ("w1", of_task("web")),
                ("a2", of_task("api")),
                ("w2", of_task("web")),
                ("u1", urgent),
            ] {
                store.enqueue(&new_run(id), &place).await.unwrap();
            }
            let at_home = claim("w1", vec![bucket("web")]);
            for expected in ["u1", "w1", "w2", "a1", "n1"] {
                let claimed = store.claim(&at_home).await.unwrap().unwrap();
                assert_eq!(claimed.lease.run, expected);
            }
            for number in 0..NEAR {
                let run = new_run(&format!("more{number}"));
                store.enqueue(&run, &of_task("api")).await.unwrap();
            }
            store
                .enqueue(&new_run("far"), &of_task("web"))
                .await
                .unwrap();
            let claimed = store.claim(&at_home).await.unwrap().unwrap();
            assert_eq!(
                claimed.lease.run, "a2",
                "what is far behind is not looked for"
            );
        })
        .await;
    }
}

/// The share of runs that go to the home of their task when four workers take them in turn, one claim in four by age.
async fn share_at_home(prefers: bool) -> f64 {
    let (store, count) = (MemoryStore::new("homes"), 2000);
    for number in 0..count {
        let place = of_task(&format!("task-{}", number * 7919 % 50));
        store
            .enqueue(&new_run(&number.to_string()), &place)
            .await
            .unwrap();
    }
    let workers: Vec<String> = (1..=4).map(|number| format!("node-{number}")).collect();
    let shares: Vec<Vec<u8>> = workers.iter().map(|it| homes(it, &workers)).collect();
    let mut at_home = 0;
    for number in 0..count {
        let (worker, turn) = (number % 4, number / 4);
        let wanted = match prefers && turn % 4 < 3 {
            true => shares[worker].clone(),
            false => Vec::new(),
        };
        let claimed = store.claim(&claim(&workers[worker], wanted)).await.unwrap();
        let run = store
            .run(&claimed.expect("all go").lease.run)
            .await
            .unwrap();
        let bucket = run.placement.and_then(|it| it.bucket()).unwrap();
        at_home += usize::from(shares[worker].contains(&bucket));
    }
    at_home as f64 / count as f64
}

#[tokio::test]
async fn most_runs_go_to_the_worker_that_had_their_task_before_and_none_is_left_behind() {
    let (before, after) = (share_at_home(false).await, share_at_home(true).await);
    println!("at home: {before:.2} by age alone, {after:.2} with preference");
    assert!(before < 0.4 && after > 0.6, "{before} and {after}");
}
