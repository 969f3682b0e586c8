//! Rollouts that a server drives, and that outlive it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Fleet, counts, runs, stale};
use crate::{careens::Careen, remote::Served};

/// The worker keeps its name over the deaths of its server, so that it takes its own runs back at once.
const OPTIONS: [&str; 6] = ["--worker-name", "w", "--parallel-runs", "3", "--lease", "3"];
/// A wave adds no more than this between the end of a parent and the queueing of its child; with room for a busy machine.
const ADDED: TimeDelta = TimeDelta::milliseconds(1000);

/// Tasks by name, each with the tasks or bases that it stands on.
type Plan = BTreeMap<String, Vec<String>>;

/// A fleet on a server.
struct Story {
    served: Served,
    fleet: Fleet,
    plan: Plan,
}

fn plan(lines: &[&str]) -> Plan {
    let read = |line: &&str| {
        let (task, bases) = line.split_once(':').expect("a colon");
        let bases = bases.split_whitespace().map(str::to_owned);
        (task.to_owned(), bases.collect())
    };
    lines.iter().map(read).collect()
}

/// The lines of an image that takes something of all it stands on.
fn lines(task: &str, bases: &[String]) -> Vec<String> {
    let mut lines = vec![format!("FROM @{}", bases[0])];
    let others = bases.iter().skip(1);
    lines.extend(others.map(|it| format!("COPY --from=@{it} /content /of-{it}")));
    lines.push(format!("COPY Dockerfile /made-{task}"));
    lines
}

fn at(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a time").parse().expect("a time")
}

impl Story {
    fn new(plan: Plan, bases: &[&str]) -> Option<Story> {
        let mut fleet = Fleet::new()?;
        for base in bases {
            push_base(&mut fleet, base, "first");
        }
        for (task, on) in &plan {
            let lines = lines(task, on);
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            fleet.task(task, &lines);
        }
        // Whoever serves has the careen; the fleet goes on with one that knows the registry only.
        let server = std::mem::replace(&mut fleet.careen, Careen::on_docker()?);
        let served = Served::new(server, &OPTIONS);
        Some(Story {
            served,
            fleet,
            plan,
        })
    }

    fn client(&self) -> &Careen {
        &self.served.client
    }

    fn names(&self) -> Vec<&str> {
        self.plan.keys().map(String::as_str).collect()
    }

    /// Begins a rollout and gives its id.
    fn begin(&self, options: &[&str]) -> String {
        let words = [&["fleet", "patch", "--detach"], options].concat();
        let begun = self.client().json(&words);
        begun["id"].as_str().expect("an id").to_owned()
    }

    fn rollout(&self, id: &str) -> Value {
        self.client().json(&["fleet", "rollouts", "show", id])
    }

    fn until_done(&self, id: &str) -> Value {
        self.client().until("the rollout is done", |client| {
            client.json(&["fleet", "rollouts", "show", id])["state"] != "running"
        });
        self.rollout(id)
    }

    /// Waits until so many runs of the record have ended.
    fn until_ended(&self, count: usize) {
        self.client().until("enough runs have ended", |client| {
            let runs = client.json(&["runs", "list", "--top", "500"]);
            let runs = runs.as_array().expect("runs");
            runs.iter().filter(|it| !it["ended_at"].is_null()).count() >= count
        });
    }

    fn restart(&mut self) {
        self.served.kill();
        self.served.start(&OPTIONS);
    }

    /// Asserts that the last builds came in order, each on what its parents' last builds gave.
    fn assert_in_order(&self) {
        self.assert_in_order_of(&self.names());
    }

    /// The same of some tasks; the others were left alone.
    fn assert_in_order_of(&self, tasks: &[&str]) {
        let last: BTreeMap<&str, Value> = self
            .names()
            .into_iter()
            .map(|task| (task, self.last_run(task)))
            .collect();
        let built = |it: &(&String, &Vec<String>)| tasks.contains(&it.0.as_str());
        for (task, bases) in self.plan.iter().filter(built) {
            let own = &last[task.as_str()];
            for parent in bases.iter().filter_map(|it| last.get(it.as_str())) {
                let (ended, begun) = (at(&parent["ended_at"]), at(&own["created_at"]));
                assert!(ended <= begun, "{task} did not wait: {parent} {own}");
                let image = self.fleet.name(parent["name"].as_str().unwrap());
                let decided = &own["trigger"]["details"]["inputs"]["bases"];
                let decided = decided.as_object().expect("bases");
                let (_, decided) = decided
                    .iter()
                    .find(|(name, _)| name.starts_with(&format!("{image}:")))
                    .expect("the parent");
                assert_eq!(decided, &pushed(parent), "{task} was not built on {image}");
            }
        }
    }

    /// Asserts that the report tells of each task that it is fresh, when it was patched, and on which digests it stands.
    fn assert_reported(&self) {
        let report = self.client().json(&["fleet", "report"]);
        assert_eq!(report["stale"], 0);
        let rows = report["rows"].as_array().expect("rows");
        let told: BTreeMap<&str, &Value> = rows
            .iter()
            .map(|row| (row["task"].as_str().expect("a task"), row))
            .collect();
        assert_eq!(told.len(), self.plan.len());
        for task in self.names() {
            let (row, run) = (told[task], self.last_run(task));
            assert_eq!(row["state"], "fresh", "{row}");
            assert_eq!(at(&row["patched"]), at(&run["ended_at"]), "{row}");
            let decided = &run["trigger"]["details"]["inputs"]["bases"];
            let decided = decided.as_object().expect("bases").iter();
            let decided: BTreeMap<_, _> = decided
                .map(|(name, it)| (name.clone(), it.clone()))
                .collect();
            let pair = |it: &Value| (it[0].as_str().expect("a name").to_owned(), it[1].clone());
            let told = row["bases"].as_array().expect("bases").iter().map(pair);
            assert_eq!(told.collect::<BTreeMap<_, _>>(), decided, "{task}");
        }
    }

    fn last_run(&self, task: &str) -> Value {
        let id = runs(self.client(), task)[0]["id"].clone();
        self.client()
            .json(&["runs", "show", id.as_str().expect("an id")])
    }

    /// How long each child waited after the end of the last of its parents.
    fn added(&self) -> Vec<TimeDelta> {
        let last: BTreeMap<&str, Value> = self
            .names()
            .into_iter()
            .map(|task| (task, self.last_run(task)))
            .collect();
        let waited = |(task, bases): (&String, &Vec<String>)| {
            let parents = bases.iter().filter_map(|it| last.get(it.as_str()));
            let ready = parents.map(|it| at(&it["ended_at"])).max()?;
            Some(at(&last[task.as_str()]["created_at"]) - ready)
        };
        self.plan.iter().filter_map(waited).collect()
    }
}

fn push_base(fleet: &mut Fleet, base: &str, content: &str) {
    let content = format!("RUN echo {content} > /content");
    fleet.push(base, &["FROM busybox", &content]);
}

/// The digest that a run pushed.
fn pushed(run: &Value) -> Value {
    let steps = run["step_list"].as_array().expect("steps");
    let images = steps.iter().filter_map(|it| it["images"].as_array());
    let digests = images.flatten().map(|it| it["digest"].clone());
    let mut digests = digests.filter(Value::is_string);
    digests.next_back().expect("a digest")
}

#[test]
fn a_rollout_outlives_its_server_and_builds_each_image_once_and_in_order() {
    let lines = [
        "a: base",
        "b: base",
        "c: second",
        "ab: a b",
        "bc: b c",
        "all: ab bc base",
    ];
    let Some(mut story) = Story::new(plan(&lines), &["base", "second"]) else {
        return;
    };
    let first = story.begin(&["--all-stale"]);
    story.until_ended(1);
    story.restart();
    let done = story.until_done(&first);
    assert_eq!(
        (&done["state"], &done["left"]),
        (&"done".into(), &Value::Array(vec![]))
    );
    assert_eq!(counts(story.client(), &story.names()), [1; 6]);
    story.assert_in_order();
    assert_eq!(stale(story.client()), [Value::Null; 0]);

    push_base(&mut story.fleet, "base", "other");
    let base = story.fleet.name("base");
    let second = story.begin(&["--base", &base, "--max-parallel", "2"]);
    story.until_ended(7);
    story.restart();
    story.until_done(&second);
    // In the order of their names: a, ab, all, b, bc, c.
    assert_eq!(counts(story.client(), &story.names()), [2, 2, 2, 2, 2, 1]);
    story.assert_in_order();
    let why = story.client().does(&["why", "all"]).exits(0);
    assert!(why.stdout.contains("because"), "{}", why.stdout);
    let report = story.client().json(&["fleet", "report"]);
    assert_eq!(
        (&report["stale"], &report["patches"]),
        (&0.into(), &5.into())
    );

    push_base(&mut story.fleet, "base", "third");
    let third = story.begin(&["--base", &base]);
    story.until_done(&third);
    let added = story.added();
    println!("the wave added: {added:?}");
    assert!(added.iter().all(|it| *it < ADDED), "{added:?}");

    // Rolled back: nothing is built, everything is what it was.
    push_base(&mut story.fleet, "base", "other");
    let back = story.begin(&["--all-stale"]);
    story.until_done(&back);
    assert_eq!(counts(story.client(), &story.names()), [3, 3, 3, 3, 3, 1]);
    assert_eq!(stale(story.client()), [Value::Null; 0]);
}

#[test]
fn a_rollout_rests_when_paused_and_goes_no_further_when_canceled() {
    let lines = ["a: base", "b: a", "c: b"];
    let Some(mut story) = Story::new(plan(&lines), &["base"]) else {
        return;
    };
    let id = story.begin(&["--all-stale", "--canary", "a"]);
    let pause = ["fleet", "rollouts", "pause", &id];
    story.client().does(&pause).exits(0).prints("paused");
    story.client().until("nothing is under way", |client| {
        client.unfinished().is_empty() && stale(client).iter().all(|it| it["state"] != "building")
    });
    let built: usize = counts(story.client(), &story.names()).iter().sum();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(
        counts(story.client(), &story.names()).iter().sum::<usize>(),
        built
    );
    let resume = ["fleet", "rollouts", "resume", &id];
    story.client().does(&resume).exits(0).prints("running");
    assert_eq!(story.until_done(&id)["state"], "done");
    assert_eq!(counts(story.client(), &story.names()), [1; 3]);

    push_base(&mut story.fleet, "base", "other");
    let id = story.begin(&["--all-stale"]);
    let cancel = ["fleet", "rollouts", "cancel", &id];
    story.client().does(&cancel).exits(0).prints("canceled");
    story.client().does(&resume).exits(2);
    let listed = story.client().json(&["fleet", "rollouts", "list"]);
    let states: Vec<&str> = listed
        .as_array()
        .expect("rollouts")
        .iter()
        .filter_map(|it| it["state"].as_str())
        .collect();
    assert_eq!(states, ["canceled", "done"]);
}

/// Thirty tasks on five levels, each on two of the level below, the lowest on two bases; one in the middle stands on an
/// image that someone builds by hand, too.
fn large() -> Plan {
    let name = |level: usize, number: usize| format!("l{level}n{}", number % 6);
    let mut plan = Plan::new();
    for (level, number) in (0..5).flat_map(|level| (0..6).map(move |it| (level, it))) {
        let mut bases = match level {
            0 if number % 2 == 0 => vec!["base".to_owned()],
            0 => vec!["second".to_owned(), "base".to_owned()],
            _ => vec![name(level - 1, number), name(level - 1, number + 1)],
        };
        if (level, number) == (2, 0) {
            bases.push("hand".to_owned());
        }
        plan.insert(name(level, number), bases);
    }
    plan
}

#[test]
fn thirty_images_follow_two_bases_through_kills_a_failure_and_an_outage() {
    if std::env::var_os("CAREEN_TEST_ALL").is_none() {
        println!("skipped: CAREEN_TEST_ALL is not set");
        return;
    }
    let Some(mut story) = Story::new(large(), &["base", "second", "hand"]) else {
        return;
    };
    let first = story.begin(&["--all-stale"]);
    story.until_done(&first);
    assert_eq!(counts(story.client(), &story.names()), [1; 30]);
    story.assert_in_order();

    // One task cannot be built, and the second base moves while the first is followed.
    let broken = ["FROM @base", "COPY nothing /here"];
    story.fleet_file("l0n0", &broken);
    push_base(&mut story.fleet, "base", "other");
    let second = story.begin(&["--all-stale"]);
    story.until_ended(34);
    push_base(&mut story.fleet, "second", "other");
    for ended in [36, 40, 44] {
        story.until_ended(ended);
        story.restart();
    }
    // The registry is away for a while; what errored meanwhile comes back by itself.
    story.fleet.registry.stop();
    std::thread::sleep(std::time::Duration::from_secs(4));
    story.fleet.registry.start_again();
    let done = story.until_done(&second);
    let left = done["left"].as_array().expect("what is left");
    let left: BTreeSet<&str> = left.iter().filter_map(|it| it["task"].as_str()).collect();
    assert!(left.contains("l0n0") && left.contains("l1n0") && left.contains("l4n0"));
    assert!(!left.contains("l0n3"), "{left:?}");

    // Mended and asked again, everything is patched, nothing twice for the same inputs.
    let bases = story.plan["l0n0"].clone();
    let lines = lines("l0n0", &bases);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    story.fleet_file("l0n0", &lines);
    let third = story.begin(&["--all-stale", "--retry"]);
    story.until_done(&third);
    assert_eq!(stale(story.client()), [Value::Null; 0]);
    story.assert_in_order();
    let listed = story.client().json(&["runs", "list", "--top", "500"]);
    let mut keys = BTreeSet::new();
    for run in listed.as_array().expect("runs") {
        let shown = story
            .client()
            .json(&["runs", "show", run["id"].as_str().unwrap()]);
        let key = shown["trigger"]["key"]
            .as_str()
            .expect("a cause")
            .to_owned();
        assert!(keys.insert(key.clone()), "{key} was built twice");
    }
    story.assert_reported();

    // What was built by hand is watched, not built. When it moves, the wave stops where nothing of it gets into: l3n5
    // takes only a file of l2n0 that is the same, so l4n4 is left alone.
    let before = counts(story.client(), &story.names());
    push_base(&mut story.fleet, "hand", "other");
    let fourth = story.begin(&["--all-stale"]);
    story.until_done(&fourth);
    let counted = before.iter().zip(counts(story.client(), &story.names()));
    let names = story.names();
    let built = names.iter().zip(counted).filter(|it| *it.1.0 < it.1.1);
    let built: Vec<&str> = built.map(|it| *it.0).collect();
    assert_eq!(built, ["l2n0", "l3n0", "l3n5", "l4n0", "l4n5"]);
    story.assert_in_order_of(&built);
    story.assert_reported();
}

impl Story {
    /// Changes the Dockerfile of a task, in the folder that the server reads.
    fn fleet_file(&mut self, task: &str, lines: &[&str]) {
        let text = self.fleet.place(lines);
        self.served
            .server
            .file(&format!("{task}/Dockerfile"), &text);
    }
}
