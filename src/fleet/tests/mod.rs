//! Small fleets, step by step.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::*;

mod views;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

/// Reads `task: base base` lines; each task makes one image of its own name.
fn graph(lines: &[&str]) -> Result<Graph, GraphError> {
    let image = |word: &str| image_name(word).unwrap();
    let maker = |line: &&str| {
        let (task, bases) = line.split_once(':').unwrap();
        Maker {
            task: task.to_owned(),
            builds: vec![Made {
                images: vec![image(task)],
                bases: bases.split_whitespace().map(image).collect(),
            }],
        }
    };
    Graph::of(&lines.iter().map(maker).collect::<Vec<_>>())
}

/// A fleet with a clock, and verbs.
struct World {
    fleet: Fleet,
    seconds: i64,
}

impl World {
    fn of(lines: &[&str]) -> Self {
        Self {
            fleet: Fleet::new(graph(lines).unwrap(), Facts::default()),
            seconds: 0,
        }
    }

    fn now(&mut self) -> DateTime<Utc> {
        self.seconds += 10;
        at(self.seconds)
    }

    fn see(&mut self, image: &str, digest: &str) {
        let (image, digest, at) = (image_name(image).unwrap(), digest.to_owned(), self.now());
        self.fleet.learn(&Fact::Seen { image, digest, at });
    }

    fn id(&self, name: &str) -> Id {
        self.fleet.graph().find(name).unwrap()
    }

    fn state(&self, name: &str) -> &State {
        &self.fleet.standing(self.id(name)).state
    }

    fn words(&self, names: &[&str]) -> Vec<&'static str> {
        names.iter().map(|it| self.state(it).word()).collect()
    }

    fn ready(&self) -> Vec<String> {
        self.fleet
            .actions()
            .map(|(_, it)| it.task().to_owned())
            .collect()
    }

    /// Queues what is ready for the task; the run is called by task and number.
    fn begin(&mut self, task: &str) -> String {
        let State::Ready(action) = self.state(task).clone() else {
            panic!("{task} is {}", self.state(task).word());
        };
        let Action::Build {
            inputs,
            epoch,
            origin,
            ..
        } = *action
        else {
            panic!("{task} is to be tagged, not built");
        };
        let run = format!(
            "{task}-{}",
            self.fleet
                .facts()
                .task(task)
                .map_or(0, |it| it.builds.len())
        );
        let at = self.now();
        let task = task.to_owned();
        self.fleet.learn(&Fact::Queued {
            task,
            inputs,
            epoch,
            run: run.clone(),
            origin,
            at,
        });
        run
    }

    fn end(&mut self, run: &str, outcome: Outcome) {
        let at = self.now();
        self.fleet.learn(&Fact::Ended {
            run: run.to_owned(),
            outcome,
            at,
        });
    }

    fn build(&mut self, task: &str, digest: &str) {
        let unchanged = self
            .fleet
            .facts()
            .tag(&image_name(task).unwrap())
            .is_some_and(|it| it.digest == digest);
        let run = self.begin(task);
        let digests = BTreeMap::from([(image_name(task).unwrap(), digest.to_owned())]);
        self.end(&run, Outcome::Built { digests, unchanged });
    }

    fn fail(&mut self, task: &str) {
        let run = self.begin(task);
        self.end(
            &run,
            Outcome::Failed {
                reason: "exit code 1".to_owned(),
                is_errored: false,
            },
        );
    }

    /// A diamond on `base`, all built once.
    fn diamond() -> Self {
        let mut world = Self::of(&["app: left right", "left: base", "right: base other"]);
        world.see("base", "b1");
        world.see("other", "o1");
        for task in ["left", "right", "app"] {
            world.build(task, &format!("{task}1"));
        }
        world
    }
}

#[test]
fn a_ring_of_images_is_refused_with_its_path() {
    let image = |name: &str| format!("docker.io/library/{name}:latest");
    let ring = graph(&["x: a", "a: c y", "b: a", "c: b", "y: z"]).unwrap_err();
    assert_eq!(
        ring,
        GraphError::Cycle(["a", "b", "c", "a"].map(image).to_vec())
    );
    let own = graph(&["a: a"]).unwrap_err();
    assert_eq!(own, GraphError::Cycle(["a", "a"].map(image).to_vec()));
}

#[test]
fn an_image_has_one_maker() {
    let error = graph(&["a: x", "a:"]).unwrap_err();
    assert!(matches!(error, GraphError::TwoMakers { .. }), "{error}");
}

#[test]
fn an_earlier_build_of_the_same_task_is_no_base() {
    let made = |image: &str, base: &str| Made {
        images: vec![image.to_owned()],
        bases: vec![base.to_owned()],
    };
    let builds = vec![made("a", "x"), made("b", "a")];
    let graph = Graph::of(&[Maker {
        task: "t".to_owned(),
        builds: builds.clone(),
    }])
    .unwrap();
    assert_eq!(graph.node(graph.task("t").unwrap()).bases, ["x"]);
    let reversed = builds.into_iter().rev().collect();
    assert!(
        Graph::of(&[Maker {
            task: "t".to_owned(),
            builds: reversed
        }])
        .is_err()
    );
}

#[test]
fn a_diamond_is_built_once_and_in_order() {
    let mut world = World::diamond();
    let all = ["left", "right", "app"];
    assert_eq!(world.words(&all), ["fresh"; 3]);
    world.see("base", "b2");
    assert_eq!(world.words(&all), ["ready", "ready", "held"]);
    world.build("left", "left2");
    assert_eq!(world.words(&all), ["fresh", "ready", "held"]);
    world.build("right", "right2");
    assert_eq!(world.ready(), ["app"]);
    world.build("app", "app2");
    assert_eq!(world.words(&all), ["fresh"; 3]);
    let builds = |task| world.fleet.facts().task(task).unwrap().builds.len();
    assert_eq!(all.map(builds), [2, 2, 2]);
}

#[test]
fn a_stale_image_names_the_base_that_moved_first() {
    let mut world = World::diamond();
    world.see("base", "b2");
    let seen = at(world.seconds);
    world.build("left", "left2");
    world.build("right", "right2");
    let stale = world.fleet.standing(world.id("app")).stale.clone().unwrap();
    assert_eq!(stale.since, Some(seen));
    assert_eq!(stale.origin.unwrap().digest, "b2");
    let because = stale.because.to_string();
    assert_eq!(
        because,
        "docker.io/library/left:latest moved from left1 to left2"
    );
}

#[test]
fn the_wave_stops_where_the_content_is_the_same() {
    let mut world = World::diamond();
    world.see("base", "b2");
    world.build("left", "left1");
    world.build("right", "right1");
    assert_eq!(world.words(&["left", "right", "app"]), ["fresh"; 3]);
    let report = world.fleet.report(at(500), None);
    let unchanged: Vec<bool> = report.rows.iter().map(|it| it.unchanged).collect();
    assert_eq!(unchanged, [true, true, false]);
}

#[test]
fn a_base_that_is_rolled_back_brings_the_earlier_images_back() {
    let mut world = World::diamond();
    world.see("base", "b2");
    world.build("left", "left2");
    world.see("base", "b1");
    let State::Ready(action) = world.state("left") else {
        panic!("{:?}", world.state("left"));
    };
    let Action::Retag {
        tags, epoch, run, ..
    } = action.as_ref()
    else {
        panic!("{action:?}");
    };
    assert_eq!(tags.values().collect::<Vec<_>>(), ["left1"]);
    assert_eq!((*epoch, run.as_str()), (0, "left-0"));
    world.see("left", "left1");
    assert_eq!(world.words(&["left", "right", "app"]), ["fresh"; 3]);
}

#[test]
fn an_earlier_image_that_is_gone_is_built_again_in_the_next_epoch() {
    let mut world = World::diamond();
    world.see("left", "by hand");
    let State::Ready(action) = world.state("left").clone() else {
        panic!("{:?}", world.state("left"));
    };
    let Action::Retag { key, epoch, .. } = *action else {
        panic!("{action:?}");
    };
    let at = world.now();
    let (task, key) = ("left".to_owned(), Some(key));
    world.fleet.learn(&Fact::Raised {
        task,
        key,
        epoch: epoch + 1,
        at,
    });
    world.build("left", "left2");
    assert_eq!(world.words(&["left", "app"]), ["fresh", "ready"]);
}

#[test]
fn what_failed_holds_what_stands_on_it_until_its_inputs_change_or_someone_asks_again() {
    let mut world = World::diamond();
    world.see("base", "b2");
    world.fail("left");
    world.build("right", "right2");
    assert_eq!(
        world.words(&["left", "right", "app"]),
        ["failed", "fresh", "held"]
    );
    let still = world.fleet.still(world.id("app")).unwrap();
    assert!(still.ends_with("; left is failed"), "{still}");
    assert_eq!(world.ready(), [""; 0]);
    let (task, at) = ("left".to_owned(), world.now());
    world.fleet.learn(&Fact::Raised {
        task,
        key: None,
        epoch: 1,
        at,
    });
    assert_eq!(world.ready(), ["left"]);
    world.fail("left");
    world.see("base", "b3");
    assert_eq!(world.ready(), ["left", "right"]);
}

#[test]
fn a_build_under_way_is_waited_for_before_the_next_inputs_are_built() {
    let mut world = World::diamond();
    world.see("base", "b2");
    let run = world.begin("left");
    world.see("base", "b3");
    assert_eq!(
        world.words(&["left", "right", "app"]),
        ["building", "ready", "held"]
    );
    let digests = BTreeMap::from([(image_name("left").unwrap(), "left2".to_owned())]);
    world.end(
        &run,
        Outcome::Built {
            digests,
            unchanged: false,
        },
    );
    assert_eq!(world.words(&["left", "app"]), ["ready", "held"]);
}

#[test]
fn a_change_of_source_and_a_task_never_built_are_told_apart() {
    let mut world = World::of(&["app: base"]);
    world.see("base", "b1");
    let because = |world: &World| {
        world
            .fleet
            .standing(world.id("app"))
            .stale
            .clone()
            .unwrap()
            .because
    };
    assert_eq!(because(&world), Because::NeverBuilt);
    world.build("app", "a1");
    let (task, at) = ("app".to_owned(), world.now());
    let (version, commit) = (String::new(), "c0ffee".to_owned());
    world.fleet.learn(&Fact::Source {
        task,
        version,
        commit,
        at,
    });
    assert_eq!(
        because(&world).to_string(),
        "its source moved from  to c0ffee"
    );
}

#[test]
fn facts_that_come_twice_or_late_change_nothing() {
    let mut world = World::diamond();
    let before = world.fleet.clone();
    let late = Fact::Seen {
        image: image_name("base").unwrap(),
        digest: "b0".to_owned(),
        at: at(1),
    };
    let build = world.fleet.facts().task("left").unwrap().builds[0].clone();
    let doubled = Fact::Queued {
        task: "left".to_owned(),
        inputs: build.inputs,
        epoch: build.epoch,
        run: "another".to_owned(),
        origin: None,
        at: at(900),
    };
    let again = Fact::Ended {
        run: build.run,
        outcome: Outcome::Failed {
            reason: String::new(),
            is_errored: false,
        },
        at: at(900),
    };
    for fact in [late, doubled, again] {
        assert_eq!(world.fleet.learn(&fact), []);
    }
    for &id in before.graph().order() {
        assert_eq!(before.standing(id), world.fleet.standing(id));
    }
}

#[test]
fn an_image_that_is_gone_from_its_registry_is_wanted_again() {
    let mut world = World::diamond();
    let left = image_name("left").unwrap();
    world.see("left", "");
    assert_eq!(world.fleet.facts().tag(&left), None);
    assert_eq!(
        world.words(&["left", "right", "app"]),
        ["ready", "fresh", "held"]
    );
    let still = world.fleet.still(world.id("left")).unwrap();
    assert!(still.ends_with("is not there; it is next"), "{still}");
    world.see("left", "left1");
    assert_eq!(world.words(&["left", "app"]), ["fresh"; 2]);
}

#[test]
fn a_run_may_tell_what_it_stands_on_only_at_its_end() {
    let mut world = World::of(&["app: base"]);
    world.see("base", "b1");
    let queued = |bases: &[(&str, &str)]| Fact::Queued {
        task: "app".to_owned(),
        inputs: InputSet {
            bases: bases
                .iter()
                .map(|(image, digest)| (image_name(image).unwrap(), (*digest).to_owned()))
                .collect(),
            ..InputSet::default()
        },
        epoch: 0,
        run: "r".to_owned(),
        origin: None,
        at: at(20),
    };
    world.fleet.learn(&queued(&[]));
    assert_eq!(world.words(&["app"]), ["building"]);
    world.fleet.learn(&queued(&[("base", "b1")]));
    let digests = BTreeMap::from([(image_name("app").unwrap(), "a1".to_owned())]);
    let unchanged = false;
    world.end("r", Outcome::Built { digests, unchanged });
    assert_eq!(world.words(&["app"]), ["fresh"]);
    assert_eq!(world.fleet.facts().task("app").unwrap().builds.len(), 1);
}
