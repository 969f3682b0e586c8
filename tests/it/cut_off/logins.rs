//! A database that does not let careen in: each command says so and what to try, and all goes on when it does again.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use super::{LEASE, over_postgres, steps, until_counting, way::Way, worker};
use crate::{
    cli::sh,
    worker_processes::{desk, enqueue},
};

const PASSWORD: &str = "sesame-99";

/// A way on which a password is shown.
async fn way_with_password(address: &str) -> Way {
    let mut way = Way::to(address).await;
    let mut url = url::Url::parse(&way.address).expect("an address");
    url.set_password(Some(PASSWORD)).expect("an address");
    way.address = url.into();
    way
}

#[test]
fn whoever_the_database_refuses_says_where_and_what_to_try_but_not_the_password() {
    over_postgres(async |careen, address| {
        let way = way_with_password(address).await;
        let url = url::Url::parse(&way.address).expect("an address");
        let place = format!("127.0.0.1:{}{}", url.port().expect("a port"), url.path());
        way.is_refused.store(true, SeqCst);
        careen.set("CAREEN_DB", &way.address);
        let server = ["server", "--listen", "127.0.0.1:0", "--no-worker"];
        for words in [&["worker"][..], &server, &["runs", "list"]] {
            let ran = careen.does(words).exits(3);
            let said = [ran.stdout.as_str(), ran.stderr.as_str()].concat();
            for part in [&place, "refuses the user postgres", "CAREEN_DB_FILE"] {
                assert!(said.contains(part), "{words:?} says {said}");
            }
            assert!(!said.contains(PASSWORD), "{words:?} says {said}");
        }
        careen.set("CAREEN_DB", address);
    });
}

#[test]
fn a_worker_that_was_refused_takes_runs_once_it_is_started_and_let_in() {
    over_postgres(async |careen, address| {
        let way = way_with_password(address).await;
        let text = format!("steps:\n{}", sh("s", "echo done", ""));
        enqueue(&desk(careen, Some(address)).await, &text).await;
        way.is_refused.store(true, SeqCst);
        // As a Swarm does it: again and again.
        for _ in 0..2 {
            worker(careen, (&way, address), LEASE).end().exits(3);
        }
        assert_eq!(careen.latest()["status"], "queued");
        way.is_refused.store(false, SeqCst);
        let _worker = worker(careen, (&way, address), LEASE);
        careen.until("it has ended", |careen| {
            careen.latest()["status"] == "succeeded"
        });
    });
}

#[test]
fn a_worker_outlasts_a_database_that_refuses_it_for_a_while() {
    over_postgres(async |careen, address| {
        let way = way_with_password(address).await;
        enqueue(&desk(careen, Some(address)).await, &steps()).await;
        let _worker = worker(careen, (&way, address), 10 * LEASE);
        until_counting(careen);
        way.is_refused.store(true, SeqCst);
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert_eq!(careen.latest()["status"], "running");
        way.is_refused.store(false, SeqCst);
        careen.success_of("latest", 1);
        let log = careen.log("count");
        assert_eq!(log.lines().count(), super::LINES, "{log}");
    });
}
