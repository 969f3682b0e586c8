//! The fleet: 10,000 images with 30,000 edges are judged, planned, changed and reported, their page is opened over HTTP,
//! and a wave passes through a chain of images beside them.
//!
//! `cargo bench --bench fleet`. The goals: a rollout planned in under 100 ms; the page (counts, stale list, levels,
//! a neighbourhood of 200) opened in under 300 ms; less than 100 ms from a parent's push to its child's start.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use careen::{
    adapters::{
        clock::SystemClock,
        memory::{
            containers::MemoryEngine,
            registry::MemoryRegistry,
            store::{MemoryFrames, MemoryTasks},
        },
        registry::Terms,
        sqlite::SqliteStore,
    },
    app::{App, FleetDriver, FleetPage, RolloutWish, TaskWish},
    engine::{RunStatus, StepStatus},
    fleet::{Fact, Facts, Fleet, Graph, InputSet, Made, Maker, Outcome, estimate, json},
    ports::{
        Batch, Capacity, Claim, Claimed, Expected, FleetEntry, Manifest, Registry, Repository,
        RunRow, StepRow, TaskChange, TaskEntry, TaskMakes, TaskStore,
    },
    server::{Api, Listen, serve},
    tasks::{Definition, ImageBuild},
};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use support::Outside;

#[path = "support/app.rs"]
mod support;

/// Images that tasks make.
const IMAGES: usize = 10_000;
/// Images on which each stands.
const BASES: usize = 3;
/// Images of others.
const FOREIGN: usize = 20;
/// Images in the chain that a wave passes through.
const CHAIN: usize = 30;
/// How long a build may take to be queued before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    alone();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("careen.db");
    let store = Arc::new(SqliteStore::open(&path).await.expect("a database"));
    let registry = MemoryRegistry::new();
    registry.add_host("r.io");
    let app = Arc::new(app(folder.path(), &store, &registry));
    is_known(&app).await;
    pages(&app).await;
    wave(&app, (&store, &registry), folder.path()).await;
}

/// What the core does, without a store.
fn alone() {
    let makers: Vec<Maker> = (0..IMAGES).map(maker).collect();
    let graph = timed("graph made", || Graph::of(&makers).expect("no ring"));
    let facts = built(&graph);
    let facts = timed("facts folded", || Facts::fold(&facts));
    let mut fleet = timed("everything judged", || {
        Fleet::new(graph.clone(), facts.clone())
    });
    assert_eq!(fleet.outdated().len(), 0);
    let base = fleet.graph().maker("b0").expect("a base");
    let estimate = timed("rollout planned", || {
        let affected = fleet.affected(&[base]);
        estimate(fleet.graph(), &affected, |_| 60, Some(20))
    });
    println!("  it builds {} images", estimate.slots.len());
    let seen = Fact::Seen {
        image: "b0".to_owned(),
        digest: "b0@2".to_owned(),
        at: at(1000),
    };
    let start = Instant::now();
    let changed = fleet.learn(&seen).len();
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    println!("judged again below a base that moved: {milliseconds:.2} ms");
    println!("  {changed} images stand otherwise");
    timed("report made", || {
        fleet.report(at(2000), None).markdown().len()
    });
    timed("page made", || {
        FleetPage::of(&fleet, Some(base), Vec::new())
    });
    timed("neighbourhood of 200 shown", || {
        json(&fleet, &fleet.graph().neighbourhood(base, 200))
            .to_string()
            .len()
    });
}

/// Runs something ten times and prints the best time.
fn timed<T>(what: &str, mut run: impl FnMut() -> T) -> T {
    let mut best = f64::INFINITY;
    let mut last = None;
    for _ in 0..10 {
        let start = Instant::now();
        last = Some(run());
        best = best.min(start.elapsed().as_secs_f64() * 1000.0);
    }
    println!("{what}: {best:.2} ms");
    last.expect("it ran")
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
}

/// The image of this number stands on images spread over all before it.
fn maker(number: usize) -> Maker {
    let bases = (1..=BASES).map(|it| match number.checked_sub(it * it * 37) {
        Some(base) => format!("t{base}"),
        None => format!("b{}", (number + it) % FOREIGN),
    });
    Maker {
        task: format!("t{number}"),
        builds: vec![Made {
            images: vec![format!("t{number}")],
            bases: bases.collect(),
        }],
    }
}

/// All that would be recorded if everything was seen and built once.
fn built(graph: &Graph) -> Vec<Fact> {
    let digest = |image: &str| format!("{image}@1");
    let mut facts = Vec::new();
    for &id in graph.order() {
        let node = graph.node(id);
        let image = node.images[0].clone();
        if graph.task(&node.name).is_none() {
            facts.push(Fact::Seen {
                digest: digest(&image),
                image,
                at: at(0),
            });
            continue;
        }
        let run = format!("run-{}", node.name);
        let bases = node.bases.iter().map(|it| (it.clone(), digest(it)));
        facts.push(Fact::Queued {
            task: node.name.clone(),
            inputs: InputSet {
                bases: bases.collect(),
                ..InputSet::default()
            },
            epoch: 0,
            run: run.clone(),
            origin: None,
            at: at(1),
        });
        let digests = BTreeMap::from([(image.clone(), digest(&image))]);
        let outcome = Outcome::Built {
            digests,
            unchanged: false,
        };
        facts.push(Fact::Ended {
            run,
            outcome,
            at: at(2),
        });
    }
    facts
}

fn app(folder: &Path, store: &Arc<SqliteStore>, registry: &MemoryRegistry) -> App {
    let outside = Outside {
        engine: MemoryEngine::new(),
        registry: Terms::default(),
        frames: Arc::new(MemoryFrames::new()),
        clock: Arc::new(SystemClock),
    };
    let mut app = support::app(folder, store.clone(), outside);
    app.ports.registry = Arc::new(registry.clone());
    app.tasks = Arc::new(MemoryTasks::default());
    app
}

/// Stores all tasks, and tells what their runs made: their own files lie elsewhere.
async fn is_known(app: &App) {
    let mut entries = Vec::new();
    let makers: Vec<Maker> = (0..IMAGES).map(maker).collect();
    for maker in &makers {
        let mut definition = Definition::named(&maker.task);
        definition.context = Some(format!("https://git.example/{}.git", maker.task));
        let change = TaskChange {
            definition,
            secrets: Vec::new(),
            expected: Expected::Any,
            manifest: None,
            by: "a bench".to_owned(),
            at: at(0),
        };
        app.tasks.put_task(&change).await.expect("a task");
        entries.push(FleetEntry::Task(TaskEntry::Makes(TaskMakes {
            task: maker.task.clone(),
            builds: maker.builds.clone(),
            pin: None,
            run: Some("a run".to_owned()),
        })));
    }
    let graph = Graph::of(&makers).expect("no ring");
    entries.extend(built(&graph).into_iter().map(FleetEntry::Fact));
    let moved = Fact::Seen {
        image: "b0".to_owned(),
        digest: "b0@2".to_owned(),
        at: at(1000),
    };
    entries.push(moved.into());
    let added = app.fleet.store.add_entries(&entries).await;
    added.expect("they are kept");
}

/// Opens pages as a browser does.
async fn pages(app: &Arc<App>) {
    let terms = careen::server::Terms {
        is_open: true,
        ..careen::server::Terms::default()
    };
    let api = Api::new(app.clone(), terms);
    let listen = Listen {
        address: "127.0.0.1:0".parse().expect("an address"),
        tls: None,
        rate: 0,
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    tokio::spawn(serve(api, listen, |address| {
        tell.send(address).expect("someone waits");
    }));
    let address = told.await.expect("it listens");
    for path in ["", "?around=t500&most=200", "?state=ready&from=100"] {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..20 {
            let begun = Instant::now();
            let answer = reqwest::get(format!("http://{address}/fleet{path}")).await;
            let answer = answer.and_then(reqwest::Response::error_for_status);
            bytes = answer
                .expect("a page")
                .bytes()
                .await
                .expect("all of it")
                .len();
            times.push(begun.elapsed());
        }
        let first = milliseconds(times[0]);
        times.sort_unstable();
        let (half, most) = (milliseconds(times[10]), milliseconds(times[19]));
        println!(
            "/fleet{path} over HTTP: first {first:.1} ms, p50 {half:.1} ms, slowest {most:.1} ms, {bytes} bytes"
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Lets a base move below a chain of images, and measures from each push to the start of what stands on it.
async fn wave(app: &Arc<App>, (store, registry): (&SqliteStore, &MemoryRegistry), folder: &Path) {
    push(registry, "base", 0).await;
    for link in 0..CHAIN {
        let base = link.checked_sub(1).map_or_else(|| "base".to_owned(), name);
        let definition = definition(&folder.join(name(link)), (link, &base));
        let change = TaskChange {
            definition: definition.clone(),
            secrets: Vec::new(),
            expected: Expected::Any,
            manifest: None,
            by: "a bench".to_owned(),
            at: Utc::now(),
        };
        // The database keeps ends of runs of tasks that it knows.
        store.put_task(&change).await.expect("a task");
        let wish = TaskWish {
            definition,
            secrets: BTreeMap::new(),
            expected: Expected::Any,
            manifest: None,
        };
        app.put_task(wish, "a bench").await.expect("a task");
    }
    let stop = CancellationToken::new();
    let driver = FleetDriver::new(app.clone(), "a bench".to_owned());
    let driving = tokio::spawn(driver.drive(stop.clone()));
    let wish = RolloutWish {
        bases: vec!["r.io/base:1".to_owned()],
        ..RolloutWish::default()
    };
    app.begin_rollout(&wish, "a bench")
        .await
        .expect("a rollout");
    let mut times = Vec::new();
    let mut pushed = None;
    for link in 0..CHAIN {
        let claimed = claim(app).await;
        times.extend(pushed.map(|it: Instant| it.elapsed()));
        let digest = push(registry, &name(link), link).await;
        pushed = Some(Instant::now());
        end(app, claimed, (link, digest)).await;
    }
    stop.cancel();
    driving.await.expect("it ends");
    times.sort_unstable();
    let (half, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "a wave through {CHAIN} images: from a push to its child's start p50 {:.1} ms, slowest {:.1} ms",
        milliseconds(half),
        milliseconds(most)
    );
}

fn name(link: usize) -> String {
    format!("link-{link}")
}

fn definition(folder: &Path, (link, base): (usize, &str)) -> Definition {
    std::fs::create_dir_all(folder).expect("a folder");
    let text = format!("FROM r.io/{base}:1\n");
    std::fs::write(folder.join("Dockerfile"), text).expect("a Dockerfile");
    let mut definition = Definition::named(name(link));
    definition.context = Some(folder.to_string_lossy().into_owned());
    definition.build = Some(ImageBuild {
        images: vec![format!("r.io/{}:1", name(link))],
        dockerfile: "Dockerfile".to_owned(),
        arguments: BTreeMap::new(),
        target: None,
        push: true,
        no_cache: false,
    });
    definition
}

/// Puts something of its own under a tag.
async fn push(registry: &MemoryRegistry, path: &str, number: usize) -> String {
    let at = Repository {
        host: "r.io".to_owned(),
        path: path.to_owned(),
        login: None,
    };
    let kind = "application/vnd.oci.image.index.v1+json";
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[],"annotations":{{"n":"{path} {number}"}}}}"#
    );
    let manifest = Manifest::new(kind, text);
    let put = registry.put_manifest(&at, "1", &manifest).await;
    put.expect("it is there");
    manifest.digest
}

/// Takes the next run as a worker does, as soon as there is one.
async fn claim(app: &App) -> Claimed {
    let mut wake_ups = app.queue.wake_ups();
    let claim = Claim {
        worker: "a bench".to_owned(),
        engine: "none".to_owned(),
        pool: "default".to_owned(),
        time: PATIENCE,
        left: Capacity {
            cpu_millis: 64_000,
            memory_bytes: 1 << 40,
            platforms: vec!["linux".to_owned(), "linux/amd64".to_owned()],
            labels: BTreeMap::new(),
        },
        homes: Vec::new(),
    };
    let claimed = async {
        loop {
            wake_ups.mark_unchanged();
            if let Some(claimed) = app.queue.claim(&claim).await.expect("a claim") {
                return claimed;
            }
            wake_ups.changed().await.expect("the store lives");
        }
    };
    let claimed = tokio::time::timeout(PATIENCE, claimed).await;
    claimed.expect("a build is queued")
}

/// Ends a run as one that pushed this.
async fn end(app: &App, claimed: Claimed, (link, digest): (usize, String)) {
    let lease = claimed.lease;
    let now = Some(Utc::now());
    let step = StepRow {
        step: 0,
        id: "push".to_owned(),
        kind: "push".to_owned(),
        status: StepStatus::Succeeded,
        ignored: false,
        attempts: 1,
        exit_code: None,
        reason: None,
        started_at: now,
        ended_at: now,
        images: serde_json::json!([{ "image": format!("r.io/{}:1", name(link)), "digest": digest }]),
    };
    let run = app.ports.store.run(&lease.run).await.expect("a run");
    let batch = Batch {
        run: Some(RunRow {
            status: RunStatus::Succeeded,
            started_at: now,
            ended_at: now,
            ..run
        }),
        steps: vec![step],
        ..Batch::default()
    };
    let recorded = app.ports.store.record(&lease, &batch).await;
    recorded.expect("it is recorded");
}
