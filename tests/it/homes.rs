//! Every store gives a worker first, of runs that may go alike, those of tasks that are at home with it.

use std::time::Duration;

use careen::{
    ports::{Claim, LimitScope, NEAR, Placement},
    tasks::bucket,
};

use crate::every_store::{ample, new_run, on_every_store};

fn of_task(task: &str) -> Placement {
    Placement {
        task: Some(task.to_owned()),
        ..Placement::default()
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
            let at_home = Claim {
                worker: "w1".to_owned(),
                engine: "engine-1".to_owned(),
                pool: "default".to_owned(),
                time: Duration::from_secs(600),
                left: ample(),
                homes: vec![bucket("web")],
            };
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
