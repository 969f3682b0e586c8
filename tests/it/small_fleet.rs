//! A fleet that is only told of: images that stand on each other, bases that move, builds that begin and end.

use std::collections::BTreeMap;

use careen::{
    app::App,
    fleet::{Action, Fact, Made, Outcome, RolloutState, State},
    ports::{FleetEntry, RolloutRow, TaskEntry, TaskMakes, sha256},
};

/// Each task with what its image stands on: tasks, or images of others.
const TASKS: [(&str, &[&str]); 11] = [
    ("base-alpine", &["docker.io/library/alpine:3.20"]),
    ("base-debian", &["docker.io/library/debian:13"]),
    ("go", &["base-alpine", "docker.io/library/golang:1.23"]),
    ("node", &["base-debian"]),
    ("python", &["base-debian"]),
    ("gateway", &["go"]),
    ("orders", &["go"]),
    ("payments", &["go"]),
    ("web", &["node"]),
    ("reports", &["python", "go"]),
    ("notebooks", &["python"]),
];

/// The image of others whose move is told of.
pub const MOVES: &str = "docker.io/library/alpine:3.20";

/// The complete name of a task's image, or of an image of others.
pub fn image(name: &str) -> String {
    match name.contains('/') {
        true => name.to_owned(),
        false => format!("registry.example/shop/{name}:1"),
    }
}

async fn learn(app: &App, entries: Vec<FleetEntry>) {
    let added = app.fleet.store.add_entries(&entries).await;
    added.expect("they are kept");
}

/// Tells of the fleet as it is when everything was built once.
pub async fn is_known(app: &App) {
    let at = app.ports.clock.now();
    let mut entries = Vec::new();
    for (task, bases) in TASKS {
        let made = Made {
            images: vec![image(task)],
            bases: bases.iter().map(|it| image(it)).collect(),
        };
        let makes = TaskMakes {
            task: task.to_owned(),
            builds: vec![made],
            pin: None,
            run: None,
        };
        entries.push(FleetEntry::Task(TaskEntry::Makes(makes)));
        let source = Fact::Source {
            task: task.to_owned(),
            version: "1".to_owned(),
            commit: String::new(),
            at,
        };
        entries.push(source.into());
        let others = bases.iter().filter(|it| it.contains('/'));
        entries.extend(others.map(|it| seen(app, it, "first")));
    }
    learn(app, entries).await;
    while !begin(app).await.is_empty() {
        end(app, "").await;
    }
}

/// Tells of a large fleet instead: so many images in so many levels, each on three of the level before, none built yet.
pub async fn is_large(app: &App, images: usize, levels: usize) {
    let wide = images / levels;
    let name = |number: usize| format!("service-{number:05}-of-the-shop");
    let entries = (0..images).map(|number| {
        let bases = (0..3).map(|it| match (number / wide, number % wide) {
            (0, at) => format!("docker.io/library/debian:{}", 11 + (at + it) % 4),
            (level, at) => image(&name((level - 1) * wide + (at * 7 + it * 13) % wide)),
        });
        let made = Made {
            images: vec![image(&name(number))],
            bases: bases.collect(),
        };
        FleetEntry::Task(TaskEntry::Makes(TaskMakes {
            task: name(number),
            builds: vec![made],
            pin: None,
            run: None,
        }))
    });
    learn(app, entries.collect()).await;
}

fn seen(app: &App, image: &str, content: &str) -> FleetEntry {
    let digest = format!(
        "sha256:{}",
        &sha256(format!("{image} {content}").as_bytes())[7..]
    );
    let (image, at) = (image.to_owned(), app.ports.clock.now());
    Fact::Seen { image, digest, at }.into()
}

/// Tells that an image of others holds something else now.
pub async fn moves(app: &App, image: &str, content: &str) {
    learn(app, vec![seen(app, image, content)]).await;
}

/// Begins all builds that may begin now, and names their tasks.
pub async fn begin(app: &App) -> Vec<String> {
    let known = app.known_fleet().await.expect("a fleet");
    let mut entries = Vec::new();
    let mut tasks = Vec::new();
    for (_, action) in known.fleet.actions() {
        let Action::Build {
            task,
            inputs,
            epoch,
            origin,
        } = action
        else {
            continue;
        };
        let queued = Fact::Queued {
            task: task.clone(),
            inputs: inputs.clone(),
            epoch: *epoch,
            run: format!("{task}-{}", &inputs.key()[..8]),
            origin: origin.clone(),
            at: app.ports.clock.now(),
        };
        entries.push(queued.into());
        tasks.push(task.clone());
    }
    learn(app, entries).await;
    tasks
}

/// Ends all builds that are under way; that of `fails` gives no image.
pub async fn end(app: &App, fails: &str) {
    let known = app.known_fleet().await.expect("a fleet");
    let graph = known.fleet.graph();
    let mut entries = Vec::new();
    for &id in graph.order() {
        let State::Building { run } = &known.fleet.standing(id).state else {
            continue;
        };
        let node = graph.node(id);
        let digest =
            |it: &String| format!("sha256:{}", &sha256(format!("{it} {run}").as_bytes())[7..]);
        let digests: BTreeMap<String, String> = node
            .images
            .iter()
            .map(|it| (it.clone(), digest(it)))
            .collect();
        let outcome = match node.name == fails {
            false => Outcome::Built {
                digests,
                unchanged: false,
            },
            true => Outcome::Failed {
                reason: "step build: exit status 1".to_owned(),
                is_errored: false,
            },
        };
        let (run, at) = (run.clone(), app.ports.clock.now());
        entries.push(Fact::Ended { run, outcome, at }.into());
    }
    learn(app, entries).await;
}

/// Tells of a rollout over all tasks that stand on what moved.
pub async fn rolls_out(app: &App) {
    let tasks = [
        "base-alpine",
        "go",
        "gateway",
        "orders",
        "payments",
        "reports",
    ];
    let row = RolloutRow {
        id: "r1".to_owned(),
        bases: vec![MOVES.to_owned()],
        tasks: tasks.map(str::to_owned).into(),
        max_parallel: Some(4),
        canary: Some("gateway".to_owned()),
        state: RolloutState::Running,
        epoch: 0,
        by: "ada".to_owned(),
        schedule: None,
        begun_by: None,
        created_at: app.ports.clock.now(),
        ended_at: None,
        reason: None,
        version: 0,
    };
    let put = app.fleet.store.put_rollout(&row).await;
    assert!(put.expect("it is kept"));
}
