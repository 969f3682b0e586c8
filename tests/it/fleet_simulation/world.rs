//! A registry, a server and its runs, all made up, and what may happen to them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use careen::fleet::{
    Action, Fact, Facts, Fleet, Graph, InputSet, Made, Maker, Outcome, Past, State,
};
use chrono::{DateTime, Utc};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// A task of the made-up fleet; its image has its name.
pub struct Task {
    pub name: String,
    /// Each base, and whether anything of it gets into the image.
    pub bases: Vec<(String, bool)>,
    pub commit: u32,
}

/// A run under way; what it pushed is recorded in a second step, and much may happen in between.
pub struct Run {
    id: String,
    pub task: usize,
    inputs: InputSet,
    pushed: Option<Outcome>,
}

/// All there is.
pub struct World {
    pub random: StdRng,
    pub tasks: Vec<Task>,
    pub bases: Vec<Vec<String>>,
    /// What each tag holds.
    pub registry: BTreeMap<String, String>,
    /// What each image consists of; one that is gone is not here.
    pub contents: HashMap<String, u64>,
    facts: Vec<Fact>,
    pub fleet: Fleet,
    pub runs: Vec<Run>,
    notifications: Vec<String>,
    slow_looks: Vec<Fact>,
    pub queued: HashSet<(String, String, u32)>,
    pub executed: HashSet<String>,
    seconds: i64,
    digests: u32,
    /// How many facts were forgotten.
    pub forgotten: usize,
}

pub fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn graph(tasks: &[Task]) -> Graph {
    let maker = |task: &Task| Maker {
        task: task.name.clone(),
        builds: vec![Made {
            images: vec![task.name.clone()],
            bases: task.bases.iter().map(|it| it.0.clone()).collect(),
        }],
    };
    Graph::of(&tasks.iter().map(maker).collect::<Vec<_>>()).unwrap()
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let bases = random.random_range(1..4usize);
        let tasks: Vec<Task> = (0..random.random_range(2..16))
            .map(|number| {
                let mut on = BTreeMap::new();
                for _ in 0..random.random_range(1..4) {
                    let one = random.random_range(0..bases + number);
                    let name = match one.checked_sub(bases) {
                        Some(task) => format!("t{task}"),
                        None => format!("b{one}"),
                    };
                    on.insert(name, random.random_bool(0.7));
                }
                Task {
                    name: format!("t{number}"),
                    bases: on.into_iter().collect(),
                    commit: 0,
                }
            })
            .collect();
        let mut world = Self {
            fleet: Fleet::new(graph(&tasks), Facts::default()),
            random,
            tasks,
            bases: vec![Vec::new(); bases],
            registry: BTreeMap::new(),
            contents: HashMap::new(),
            facts: Vec::new(),
            runs: Vec::new(),
            notifications: Vec::new(),
            slow_looks: Vec::new(),
            queued: HashSet::new(),
            executed: HashSet::new(),
            seconds: 0,
            digests: 0,
            forgotten: 0,
        };
        for base in 0..bases {
            world.move_to(base, None);
        }
        world
    }

    fn now(&mut self) -> DateTime<Utc> {
        self.seconds += 1;
        DateTime::from_timestamp(self.seconds, 0).unwrap()
    }

    fn one_of(&mut self, count: usize) -> usize {
        self.random.random_range(0..count)
    }

    fn new_image(&mut self, content: u64) -> String {
        self.digests += 1;
        let digest = format!("sha256:{}", self.digests);
        self.contents.insert(digest.clone(), content);
        digest
    }

    /// Puts an image under a tag; of that, none, one or several notifications will tell.
    fn put(&mut self, tag: &str, digest: &str) {
        self.registry.insert(tag.to_owned(), digest.to_owned());
        for _ in 0..self.random.random_range(0..4) {
            self.notifications.push(tag.to_owned());
        }
    }

    fn move_to(&mut self, base: usize, content: Option<u64>) {
        let content = content.unwrap_or_else(|| self.random.random());
        let digest = self.new_image(content);
        self.bases[base].push(digest.clone());
        self.put(&format!("b{base}"), &digest);
    }

    pub fn move_base(&mut self) {
        let base = self.one_of(self.bases.len());
        if self.random.random_bool(0.3) {
            return self.move_base_without_change(base);
        }
        self.move_to(base, None);
    }

    pub fn move_base_without_change(&mut self, base: usize) {
        let content = self.contents[&self.registry[&format!("b{base}")]];
        self.move_to(base, Some(content));
    }

    pub fn roll_base_back(&mut self) {
        let base = self.one_of(self.bases.len());
        let earlier = self.one_of(self.bases[base].len());
        let digest = self.bases[base][earlier].clone();
        self.put(&format!("b{base}"), &digest);
    }

    pub fn commit(&mut self) {
        let task = self.one_of(self.tasks.len());
        self.tasks[task].commit += 1;
        let fact = Fact::Source {
            task: self.tasks[task].name.clone(),
            version: String::new(),
            commit: self.tasks[task].commit.to_string(),
            at: self.now(),
        };
        self.record(fact);
    }

    pub fn push_by_hand(&mut self) {
        let task = self.one_of(self.tasks.len());
        let content = self.random.random();
        let digest = self.new_image(content);
        self.put(&format!("t{task}"), &digest);
    }

    pub fn lose_old_image(&mut self) {
        let held: HashSet<&String> = self
            .registry
            .values()
            .chain(self.bases.iter().flatten())
            .collect();
        let pushed = self
            .runs
            .iter()
            .filter_map(|it| it.pushed.as_ref())
            .flat_map(|it| match it {
                Outcome::Built { digests, .. } => digests.values().collect(),
                Outcome::Failed { .. } => Vec::new(),
            });
        let held: HashSet<&String> = held.into_iter().chain(pushed).collect();
        let old = self.contents.keys().filter(|it| !held.contains(it));
        if let Some(old) = old.min().cloned() {
            self.contents.remove(&old);
        }
    }

    pub fn ask_for_a_rebuild(&mut self) {
        let task = self.one_of(self.tasks.len());
        self.raise(task, None);
    }

    pub fn retry_what_failed(&mut self) {
        for task in 0..self.tasks.len() {
            let State::Failed { run, .. } = self.state(task).clone() else {
                continue;
            };
            let builds = self
                .fleet
                .facts()
                .task(&self.tasks[task].name)
                .map(|it| &it.builds);
            let failed = builds.into_iter().flatten().find(|it| it.run == run);
            let key = failed.map(|it| it.key.clone());
            self.raise(task, key);
        }
    }

    fn raise(&mut self, task: usize, key: Option<String>) {
        let name = self.tasks[task].name.clone();
        let builds = self
            .fleet
            .facts()
            .task(&name)
            .map(|it| it.builds.clone())
            .unwrap_or_default();
        let epoch = builds.iter().map(|it| it.epoch + 1).max().unwrap_or(1);
        let at = self.now();
        self.record(Fact::Raised {
            task: name,
            key,
            epoch,
            at,
        });
    }

    pub fn state(&self, task: usize) -> &State {
        let id = self.fleet.graph().task(&self.tasks[task].name).unwrap();
        &self.fleet.standing(id).state
    }

    fn look(&mut self, image: &str) -> Option<Fact> {
        let digest = self.registry.get(image)?.clone();
        Some(Fact::Seen {
            image: image.to_owned(),
            digest,
            at: self.now(),
        })
    }

    /// Takes any of the notifications, and may take it again later.
    pub fn hear_a_notification(&mut self) {
        if self.notifications.is_empty() {
            return;
        }
        let which = self.one_of(self.notifications.len());
        let image = self.notifications[which].clone();
        if self.random.random_bool(0.7) {
            self.notifications.swap_remove(which);
        }
        let seen = self.look(&image);
        match self.random.random_bool(0.3) {
            true => self.slow_looks.extend(seen),
            false => seen.into_iter().for_each(|fact| self.record(fact)),
        }
    }

    /// Records what was read from the registry some time ago.
    pub fn record_a_slow_look(&mut self) {
        if !self.slow_looks.is_empty() {
            let which = self.one_of(self.slow_looks.len());
            let fact = self.slow_looks.swap_remove(which);
            self.record(fact);
        }
    }

    fn record(&mut self, fact: Fact) {
        self.fleet.learn(&fact);
        self.facts.push(fact);
    }

    /// Does some of what may be done now.
    pub fn act(&mut self) {
        let actions: Vec<Action> = self.fleet.actions().map(|(_, it)| it.clone()).collect();
        for action in actions {
            if self.random.random_bool(0.7) {
                self.perform(action);
            }
        }
    }

    fn perform(&mut self, action: Action) {
        self.check_order(action.task());
        match action {
            Action::Build {
                task,
                inputs,
                epoch,
                origin,
            } => {
                let key = (task.clone(), inputs.key(), epoch);
                assert!(
                    self.queued.insert(key),
                    "{task} was queued twice for one input set"
                );
                let number = task[1..].parse().unwrap();
                let (run, at) = (format!("r{}", self.queued.len()), self.now());
                self.runs.push(Run {
                    id: run.clone(),
                    task: number,
                    inputs: inputs.clone(),
                    pushed: None,
                });
                self.record(Fact::Queued {
                    task,
                    inputs,
                    epoch,
                    run,
                    origin,
                    at,
                });
            }
            Action::Retag {
                task,
                tags,
                key,
                epoch,
                ..
            } => {
                let (key, at) = (Some(key), self.now());
                if tags.values().any(|it| !self.contents.contains_key(it)) {
                    return self.record(Fact::Raised {
                        task,
                        key,
                        epoch: epoch + 1,
                        at,
                    });
                }
                for (image, digest) in tags {
                    self.put(&image, &digest);
                    // The server may die before it writes down what it did.
                    if self.random.random_bool(0.8) {
                        let seen = self.look(&image);
                        seen.into_iter().for_each(|fact| self.record(fact));
                    }
                }
            }
        }
    }

    /// Brings any run one step further: it pushes or fails, or what it did is written down.
    pub fn go_on_with_a_run(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        let which = self.one_of(self.runs.len());
        if self.runs[which].pushed.is_none() {
            let may_fail = self.random.random_bool(0.15);
            return self.push(which, may_fail);
        }
        let run = self.runs.swap_remove(which);
        let at = self.now();
        let outcome = run.pushed.unwrap();
        self.record(Fact::Ended {
            run: run.id,
            outcome,
            at,
        });
    }

    fn push(&mut self, which: usize, fails: bool) {
        let run = &self.runs[which];
        assert!(
            self.executed.insert(run.id.clone()),
            "{} is executed twice",
            run.id
        );
        if fails {
            let reason = "made up".to_owned();
            self.runs[which].pushed = Some(Outcome::Failed {
                reason,
                is_errored: false,
            });
            return;
        }
        let task = &self.tasks[run.task];
        let taken = task.bases.iter().filter(|it| it.1);
        let parts: Vec<u64> = taken
            .map(|(base, _)| self.contents_of(&run.inputs.bases[base]))
            .collect();
        let commit: u32 = run.inputs.commit.parse().unwrap_or(0);
        let content = hash((&task.name, commit, parts));
        let name = task.name.clone();
        let held = self.registry.get(&name).cloned();
        let same = held.filter(|it| self.contents.get(it) == Some(&content));
        let unchanged = same.is_some();
        let digest = same.unwrap_or_else(|| {
            let digest = self.new_image(content);
            self.put(&name, &digest);
            digest
        });
        let digests = BTreeMap::from([(name, digest)]);
        self.runs[which].pushed = Some(Outcome::Built { digests, unchanged });
    }

    /// A base that was deleted meanwhile is still on the engine.
    fn contents_of(&self, digest: &str) -> u64 {
        self.contents
            .get(digest)
            .copied()
            .unwrap_or_else(|| hash(digest))
    }

    /// Forgets all that is not recorded; what is recorded must say the same.
    pub fn restart(&mut self) {
        self.slow_looks.clear();
        self.notifications.clear();
        self.read_the_record();
    }

    fn read_the_record(&mut self) {
        let fleet = Fleet::new(graph(&self.tasks), Facts::fold(&self.facts));
        for &id in fleet.graph().order() {
            assert_eq!(fleet.standing(id), self.fleet.standing(id));
        }
        self.fleet = fleet;
    }

    /// Forgets what is past, some of whose runs are gone; what is left must say the same.
    pub fn forget_the_past(&mut self) {
        let past = self.fleet.past_runs().into_iter();
        let gone: HashSet<String> = past.filter(|_| self.random.random_bool(0.7)).collect();
        let mut reading = Past::default();
        for (number, fact) in (0..).zip(&self.facts) {
            reading.read(number, fact);
        }
        let numbers: HashSet<i64> = reading.superseded(&gone).into_iter().collect();
        self.forgotten += numbers.len();
        let mut number = -1;
        self.facts.retain(|_| {
            number += 1;
            !numbers.contains(&number)
        });
        let left = Facts::fold(&self.facts);
        for image in self.registry.keys() {
            assert_eq!(left.tag(image), self.fleet.facts().tag(image), "{image}");
        }
        for task in &self.tasks {
            let of = |facts: &Facts| {
                facts
                    .task(&task.name)
                    .and_then(|it| it.last_built().cloned())
            };
            assert_eq!(of(&left), of(self.fleet.facts()), "{}", task.name);
        }
        self.read_the_record();
    }

    /// Nothing bad happens any more; everything is looked at now and then, and what failed is tried again.
    pub fn come_to_rest(&mut self) {
        for _ in 0..20 * self.tasks.len() + 50 {
            for image in self.registry.keys().cloned().collect::<Vec<_>>() {
                let seen = self.look(&image);
                seen.into_iter().for_each(|fact| self.record(fact));
            }
            self.retry_what_failed();
            let actions: Vec<Action> = self.fleet.actions().map(|(_, it)| it.clone()).collect();
            if actions.is_empty() && self.runs.is_empty() {
                return;
            }
            actions.into_iter().for_each(|action| self.perform(action));
            for run in (0..self.runs.len()).rev() {
                if self.runs[run].pushed.is_none() {
                    self.push(run, false);
                }
                let run = self.runs.swap_remove(run);
                let (outcome, at) = (run.pushed.unwrap(), self.now());
                self.record(Fact::Ended {
                    run: run.id,
                    outcome,
                    at,
                });
            }
        }
        panic!("it never comes to rest");
    }

    /// How many tasks stand directly on a base.
    pub fn children_of_base(&self, base: usize) -> usize {
        let name = format!("b{base}");
        self.tasks
            .iter()
            .filter(|it| it.bases.iter().any(|it| it.0 == name))
            .count()
    }

    /// How many builds there were.
    pub fn builds(&self) -> usize {
        self.executed.len()
    }
}
