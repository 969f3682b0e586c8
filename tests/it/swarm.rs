//! `deploy/stack.yml` on a real Swarm of three nodes: whatever goes, changes or is scaled, no run is lost.

mod stack;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use stack::{PROGRAM, SCALER, Stack, under_way};

use crate::cli::sh;

/// There is one Swarm.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn on_a_swarm_no_run_is_lost_whatever_goes() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stack) = Stack::deploy() else {
        return;
    };
    stack.ticks();
    let mut busy = BTreeSet::new();
    let ended = stack.outlives(200, |stack| {
        stack.until("all nodes drive runs", |stack| {
            busy.extend(under_way(&stack.workers()));
            busy.len() == 3
        });
        stack.kill(1);
    });
    let begun_anew = ended.iter().filter(|run| run["generation"] == 2).count();
    println!("a node was killed: {begun_anew} of 200 runs began anew");
    assert!(
        begun_anew > 0,
        "nothing was under way on the node that was killed"
    );
    stack.bring_back(1);

    // Node 1 leads the Swarm, and has a worker and, mostly, a server.
    stack.outlives(30, |stack| stack.kill(0));
    stack.nodes.rotate_left(1);
    stack.bring_back(2);
    stack.nodes.rotate_right(1);

    stack.outlives(20, |stack| {
        let killed = stack.nodes.iter().find_map(|node| {
            let server = node.says(&["ps", "-q", "-f", "name=careen_server"]);
            let server = server.lines().next()?.to_owned();
            node.says(&["kill", &server]);
            Some(server)
        });
        assert!(killed.is_some(), "there was no server to kill");
    });

    let slow = stack.queue("for i in $(seq 1 240); do echo line $i; sleep 0.5; done");
    stack.until("it says something", |stack| stack.log(&slow).len() > 5);
    let seen = stack.log(&slow);
    stack.nodes[1].says(&["service", "scale", "-d", "careen_postgres=0"]);
    std::thread::sleep(Duration::from_secs(30));
    stack.nodes[1].says(&["service", "scale", "-d", "careen_postgres=1"]);
    stack.until("it has ended", |stack| {
        !stack.run(&slow)["ended_at"].is_null()
    });
    let row = stack.run(&slow);
    assert_eq!(row["status"], "succeeded", "{row}");
    let log = stack.log(&slow);
    assert_eq!(log.len(), 240, "{log:?}");
    assert_eq!(log[..seen.len()], seen);
    stack.has_ticked();
}

/// The images whose workers run just now, on all nodes.
fn working_images(stack: &Stack) -> BTreeSet<String> {
    let listed = stack.nodes.iter().map(|node| {
        let filter = ["ps", "-f", "name=careen_worker", "--format", "{{.Image}}"];
        node.says(&filter)
    });
    let listed: Vec<String> = listed.collect();
    let images = listed.iter().flat_map(|it| it.lines());
    images.map(str::to_owned).collect()
}

#[test]
fn an_update_to_another_version_in_mid_flight_loses_no_run_and_no_line() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stack) = Stack::deploy() else {
        return;
    };
    let before = stack.image.clone();
    let after = stack.build("next", PROGRAM);
    let slow = stack.queue("for i in $(seq 1 240); do echo line $i; sleep 0.5; done");
    stack.until("it says something", |stack| stack.log(&slow).len() > 5);
    stack.image.clone_from(&after);
    stack.apply();
    let mut runs = Vec::new();
    let mut side_by_side = false;
    stack.until("all workers are of the next version", |stack| {
        let images = working_images(stack);
        side_by_side |= images.contains(&before) && images.contains(&after);
        let number = runs.len();
        runs.push(stack.queue(&format!("echo run {number}; sleep {}", 1 + number % 9)));
        images == BTreeSet::from([after.clone()])
    });
    println!("{} runs were queued during the update", runs.len());
    assert!(side_by_side, "the two versions never worked side by side");
    stack.until("all servers are, and three workers are here", |stack| {
        let state = [
            "service",
            "inspect",
            "-f",
            "{{.UpdateStatus.State}}",
            "careen_server",
        ];
        stack.nodes[0].says(&state) == "completed" && stack.here() == 3
    });
    for run in stack.ended_well(&runs) {
        assert_eq!(run["generation"], 1, "{run}");
    }
    stack.until("it has ended", |stack| {
        !stack.run(&slow)["ended_at"].is_null()
    });
    let row = stack.run(&slow);
    let ending = (row["status"].as_str(), row["generation"].as_u64());
    assert_eq!(ending, (Some("succeeded"), Some(1)), "{row}");
    let lines: Vec<String> = (1..=240).map(|number| format!("line {number}")).collect();
    assert_eq!(stack.log(&slow), lines);
}

/// How many workers the Swarm is to run.
fn replicas(stack: &Stack) -> String {
    let format = "{{.Spec.Mode.Replicated.Replicas}}";
    stack.nodes[0].says(&["service", "inspect", "-f", format, "careen_worker"])
}

#[test]
fn the_swarm_runs_as_many_workers_as_the_queue_asks_for() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stack) = Stack::deploy() else {
        return;
    };
    let socket = "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock";
    let (image, terms) = (
        stack.image.clone(),
        ["--min", "1", "--max", "3", "--every", "1s"],
    );
    let service = [
        "service",
        "create",
        "-d",
        "--name",
        SCALER,
        "--constraint",
        "node.role==manager",
        "--mount",
        socket,
        "--secret",
        "careen_db",
        "--network",
        "careen_careen",
        "--env",
        "CAREEN_DB_FILE=/run/secrets/careen_db",
        &image,
        "autoscale",
        "--cool-down",
        "20s",
    ];
    let made = stack.nodes[0]
        .docker(&[&service[..], &terms].concat())
        .output();
    let made = made.expect("docker");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    stack.until("one worker is enough when nothing is to do", |stack| {
        replicas(stack) == "1"
    });
    stack.until("the others have left", |stack| stack.here() == 1);
    let runs: Vec<String> = (0..24)
        .map(|number| stack.queue(&format!("echo run {number}; sleep {}", 15 + number % 3)))
        .collect();
    stack.until("more are wanted", |stack| replicas(stack) == "3");
    let mut busy = BTreeSet::new();
    stack.until("all of them drive runs", |stack| {
        busy.extend(under_way(&stack.workers()));
        busy.len() == 3
    });
    stack.ended_well(&runs);
    stack.until("one is enough again", |stack| replicas(stack) == "1");
}

#[test]
fn runs_push_to_the_registry_of_the_stack_which_lets_nobody_else_in() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stack) = Stack::deploy() else {
        return;
    };
    stack.until("the registry is well", |stack| {
        let filter = ["-f", "name=careen_registry", "-f", "health=healthy"];
        !stack.nodes[2]
            .says(&[&["ps", "-q"], &filter[..]].concat())
            .is_empty()
    });
    let (refused, _) = stack.registry_says("careen:guessed", "_catalog");
    assert_eq!(refused, "401");
    let login = "echo secret | careen connection add stack --server 127.0.0.1:5000 -u careen --password-stdin --json";
    let added = stack.in_server(&["sh", "-c", login]);
    assert!(added.contains("stack"), "{added}");
    // Without the mesh it answers as 127.0.0.1 only where it is.
    stack.leaves_runs_to("node-3");
    let image = "127.0.0.1:5000/pushed:once";
    let write = sh(
        "write",
        "printf 'FROM busybox\\nCMD true\\n' > Dockerfile",
        "",
    );
    let run = stack.queue_file(&format!(
        "steps:\n{write}  - id: build\n    build: -t {image} .\n    when: [write]\n  - id: push\n    \
         push: [{image}]\n    when: [build]\n"
    ));
    stack.until("it has ended", |stack| {
        !stack.run(&run)["ended_at"].is_null()
    });
    let row = stack.run(&run);
    assert_eq!(row["status"], "succeeded", "{row}");
    let (status, tags) = stack.registry_says("careen:secret", "pushed/tags/list");
    assert_eq!(
        (status.as_str(), tags.as_str()),
        ("200", r#"{"name":"pushed","tags":["once"]}"#)
    );
}

#[test]
fn servers_and_workers_that_the_database_refuses_say_so_and_come_back_when_it_lets_them_in() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stack) = Stack::deploy() else {
        return;
    };
    stack.changes_password("secret", "other");
    for node in &stack.nodes {
        for service in ["careen_server", "careen_worker"] {
            let found = node.says(&["ps", "-q", "-f", &format!("name={service}")]);
            for container in found.lines() {
                node.says(&["kill", container]);
            }
        }
    }
    for service in ["careen_server", "careen_worker"] {
        stack.until("it says why it ended", |stack| {
            let said = stack.nodes[0].logs(service);
            assert!(!said.contains("careen:secret"), "{said}");
            said.contains("the database at postgres:5432/careen refuses the user careen")
                && said.contains("CAREEN_DB_FILE")
        });
    }
    stack.changes_password("other", "secret");
    stack.until("three workers are here", |stack| stack.here() == 3);
    let runs: Vec<String> = (0..6)
        .map(|n| stack.queue(&format!("echo run {n}")))
        .collect();
    stack.ended_well(&runs);
}
