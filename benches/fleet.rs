//! The fleet alone: 10,000 images with 30,000 edges are judged, planned, changed and reported.
//!
//! `cargo bench --bench fleet`. The goals: a rollout planned in under 100 ms; the page (counts, stale list, levels,
//! a neighbourhood of 200) made in under 300 ms.

use std::{collections::BTreeMap, time::Instant};

use careen::app::FleetPage;
use careen::fleet::{Fact, Facts, Fleet, Graph, InputSet, Made, Maker, Outcome, estimate, json};
use chrono::{DateTime, Utc};

/// Images that tasks make.
const IMAGES: usize = 10_000;
/// Images on which each stands.
const BASES: usize = 3;
/// Images of others.
const FOREIGN: usize = 20;

fn main() {
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
