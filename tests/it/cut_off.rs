//! A worker that is cut off from its database stops what it runs before anyone else may take it, and a database that is
//! away for a while costs no run and no line.

mod logins;
mod pushes;
mod way;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};

use way::Way;

use crate::{
    careens::{Careen, Running},
    cli::sh,
    every_store,
    worker_processes::{desk, enqueue, until_counting},
};

/// In seconds.
const LEASE: i64 = 6;

/// A worker that reaches its database by a way of its own.
fn worker(careen: &mut Careen, (way, direct): (&Way, &str), lease: i64) -> Running {
    careen.set("CAREEN_DB", &way.address);
    let running = careen.start(&["worker", "--name", "one", "--lease", &lease.to_string()]);
    careen.set("CAREEN_DB", direct);
    running
}

/// What the database says of the only run: status, owner, token, events, and for how long its lease holds still.
async fn recorded(address: &str) -> (String, Option<String>, i64, i64, i64) {
    let mut connection = PgConnection::connect(address).await.unwrap();
    let row = sqlx::query(
        "SELECT status, lease_owner, lease_token, last_event, lease_until - now_ms() AS left FROM runs",
    );
    let row = row.fetch_one(&mut connection).await.unwrap();
    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))
}

/// Proves a story over a Postgres of its own, on the engine of this machine.
fn over_postgres(story: impl AsyncFn(&mut Careen, &str)) {
    if Careen::on_docker().is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(every_store::on_postgres_at(async |address| {
        let mut careen = Careen::new();
        careen.set("CAREEN_DB", &address);
        story(&mut careen, &address).await;
        assert_eq!(careen.json(&["sweep"])["removed"], 0);
    }));
}

/// Says whether the container of the first step is there and runs.
async fn is_running(address: &str) -> bool {
    let mut connection = PgConnection::connect(address).await.unwrap();
    let store: String = sqlx::query("SELECT id FROM store")
        .fetch_one(&mut connection)
        .await
        .unwrap()
        .get(0);
    let filter = format!("name=careen-{store}-.*count-1");
    let listed = std::process::Command::new("docker")
        .args(["ps", "--quiet", "--filter", &filter])
        .output();
    !listed.expect("docker").stdout.is_empty()
}

/// Says so many lines, a tenth of a second apart: for longer than a lease lasts.
const LINES: usize = 200;

fn steps() -> String {
    let count = "for i in $(seq 1 200); do echo line $i; sleep 0.1; done";
    format!("steps:\n{}", sh("count", count, ""))
}

#[test]
fn a_worker_cut_off_from_its_database_stops_its_containers_while_its_lease_still_holds() {
    over_postgres(async |careen, address| {
        let way = Way::to(address).await;
        enqueue(&desk(careen, Some(address)).await, &steps()).await;
        let worker = worker(careen, (&way, address), LEASE);
        until_counting(careen);
        way.is_cut.store(true, SeqCst);
        let before = recorded(address).await;
        assert!(is_running(address).await);
        while is_running(address).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let stopped = recorded(address).await;
        // On the same engine a take-over waits for a quarter of the lease after its end.
        let left = stopped.4 + LEASE * 1000 / 4;
        assert!(
            left > 0,
            "stopped {} ms after anyone could have taken it",
            -left
        );
        assert_eq!(
            (&stopped.0, stopped.2, stopped.3),
            (&before.0, before.2, before.3)
        );
        // Back again it writes nothing under the lease that it had; whoever takes the run next has a higher token.
        way.is_cut.store(false, SeqCst);
        tokio::time::sleep(Duration::from_millis(700)).await;
        let back = recorded(address).await;
        assert!(
            back.3 == before.3 || back.2 > before.2,
            "{before:?}, then {back:?}"
        );
        careen.success_of("latest", 2);
        // What was read of the generation that was cut off is still there, and marked off from the next one.
        let log = careen
            .does(&["runs", "logs", "latest", "--step", "count"])
            .stdout;
        let (cut_off, anew) = log.split_once("--- generation 2: ").expect("a mark");
        assert!(cut_off.starts_with("line 1\nline 2\n"), "{cut_off}");
        assert_eq!(anew.lines().count(), LINES + 1, "{anew}");
        assert!(anew.ends_with(&format!("line {LINES}\n")), "{anew}");
        drop(worker);
    });
}

/// A time to sleep that nothing else on this machine sleeps.
const SLEEP: &str = "sleep 97531";

/// Says whether a process of this machine, in whatever container, sleeps so long.
fn sleeps() -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut words = processes.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    let wanted = SLEEP.replace(' ', "\0");
    words.any(|it| String::from_utf8_lossy(&it).trim_end_matches('\0') == wanted)
}

#[test]
fn a_worker_cut_off_from_its_database_stops_its_build_while_its_lease_still_holds() {
    over_postgres(async |careen, address| {
        let way = Way::to(address).await;
        let write = format!("printf 'FROM busybox\\nRUN {SLEEP}\\n' > Dockerfile");
        let text = format!(
            "steps:\n{}  - id: build\n    build: --no-cache .\n    when: [write]\n",
            sh("write", &write, "")
        );
        enqueue(&desk(careen, Some(address)).await, &text).await;
        let worker = worker(careen, (&way, address), LEASE);
        let begun = std::time::Instant::now();
        while !sleeps() && begun.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if !sleeps() {
            println!("skipped: processes of the engine are not seen from here");
        } else {
            way.is_cut.store(true, SeqCst);
            while sleeps() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let left = recorded(address).await.4 + LEASE * 1000 / 4;
            assert!(
                left > 0,
                "stopped {} ms after a take-over was possible",
                -left
            );
            way.is_cut.store(false, SeqCst);
        }
        careen.until("it is canceled", |careen| {
            careen.does(&["runs", "cancel", "latest"]);
            careen.latest()["ended_at"] != Value::Null
        });
        drop(worker);
    });
}

#[test]
fn a_database_that_is_away_for_a_while_costs_no_run_and_no_line() {
    over_postgres(async |careen, address| {
        let way = Way::to(address).await;
        let count = "for i in $(seq 1 60); do echo line $i; sleep 0.1; done";
        let after = sh("after", "echo done", "    when: [count]\n");
        let text = format!("steps:\n{}{after}", sh("count", count, ""));
        enqueue(&desk(careen, Some(address)).await, &text).await;
        let _worker = worker(careen, (&way, address), 10 * LEASE);
        until_counting(careen);
        // The step ends, and the next one is due, while nothing can be recorded.
        way.is_closed.store(true, SeqCst);
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert_eq!(careen.latest()["status"], "running");
        way.is_closed.store(false, SeqCst);
        let run = careen.success_of("latest", 1);
        let lines: Vec<String> = (1..=60).map(|number| format!("line {number}")).collect();
        assert_eq!(careen.log("count").lines().collect::<Vec<_>>(), lines);
        assert_eq!(run["attempts"].as_array().unwrap().len(), 2);
    });
}

/// The library that lets a process see another time; `None`, said aloud, where it is not.
fn faketime() -> Option<String> {
    let folder = std::env::var("CAREEN_DEV_DIR");
    let folder = folder.unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/.dev").to_owned());
    let libraries = std::fs::read_dir(format!("{folder}/packages/libfaketime/usr/lib"));
    let found = libraries.into_iter().flatten().flatten();
    let found = found.map(|it| it.path().join("faketime/libfaketimeMT.so.1"));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: no libfaketime; `./dev setup swarm` unpacks it");
    }
    found.map(|path| path.display().to_string())
}

#[test]
fn workers_whose_clocks_are_two_minutes_apart_take_over_no_sooner_and_no_later() {
    let Some(library) = faketime() else {
        return;
    };
    over_postgres(async |careen, address| {
        let count = "for i in $(seq 1 150); do echo line $i; sleep 0.1; done";
        let text = format!("steps:\n{}", sh("count", count, ""));
        enqueue(&desk(careen, Some(address)).await, &text).await;
        let mut start = |name: &str, offset: &str| {
            careen.set("LD_PRELOAD", &library);
            careen.set("FAKETIME", offset);
            let worker = careen.start(&["worker", "--name", name, "--lease", &LEASE.to_string()]);
            careen.set("LD_PRELOAD", "");
            careen.set("FAKETIME", "");
            worker
        };
        let ahead = start("ahead", "+60s");
        while recorded(address)
            .await
            .1
            .is_none_or(|owner| owner != "ahead")
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let behind = start("behind", "-60s");
        // Longer than a lease: whoever went by its own clock would have lost or taken it by now.
        tokio::time::sleep(Duration::from_secs(LEASE as u64 + 1)).await;
        let held = recorded(address).await;
        assert_eq!(held.1.as_deref(), Some("ahead"));
        ahead.kill();
        let mut left = held.4;
        loop {
            // Owner and time of one moment: the next owner's lease has all of its time left.
            let now = recorded(address).await;
            if now.1.as_deref() != Some("ahead") {
                break;
            }
            left = now.4;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(
            left <= 100,
            "taken over {left} ms before the lease had run out"
        );
        assert!(
            left > -30_000,
            "taken over {} ms after the lease had run out",
            -left
        );
        assert_eq!(careen.end_of("latest")["status"], "succeeded");
        assert_eq!(careen.log("count").lines().count(), 150);
        drop(behind);
    });
}
