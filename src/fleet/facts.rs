//! What is known of a fleet: facts in the order they were recorded, folded.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{InputSet, Origin};

/// Something that was learned and recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// A tag was seen to hold a digest.
    Seen {
        /// The image's complete name.
        image: String,
        /// What it held; nothing if it was not there.
        digest: String,
        /// When it was looked at.
        at: DateTime<Utc>,
    },
    /// A task has this version, and this commit was last accepted for it.
    Source {
        /// The task.
        task: String,
        /// What tells this version from others.
        version: String,
        /// The commit; empty where there is none.
        commit: String,
        /// When that was so.
        at: DateTime<Utc>,
    },
    /// A task is to be built anew, though nothing changed.
    Raised {
        /// The task.
        task: String,
        /// The one input set that this is about; all of them without.
        key: Option<String>,
        /// Builds of lower epochs do not count any more.
        epoch: u32,
        /// When it was asked.
        at: DateTime<Utc>,
    },
    /// A build was queued.
    Queued {
        /// The task.
        task: String,
        /// What it is made from.
        inputs: InputSet,
        /// The epoch.
        epoch: u32,
        /// The run that builds it.
        run: String,
        /// What set it off.
        origin: Option<Origin>,
        /// When.
        at: DateTime<Utc>,
    },
    /// A build has ended.
    Ended {
        /// The run that built it.
        run: String,
        /// How it ended.
        outcome: Outcome,
        /// When.
        at: DateTime<Utc>,
    },
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Its images are pushed.
    Built {
        /// What each tag holds since.
        digests: BTreeMap<String, String>,
        /// Whether that is what they held before, because nothing in them is different.
        unchanged: bool,
    },
    /// There is no image.
    Failed {
        /// Why, in words.
        reason: String,
        /// Whether that was nothing that the task said, such as a registry out of reach.
        #[serde(default)]
        is_errored: bool,
    },
}

/// What a tag holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The digest.
    pub digest: String,
    /// Since when it is known to hold it.
    pub since: DateTime<Utc>,
    /// When it was last looked at.
    pub looked: DateTime<Utc>,
}

/// One build of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// What it is made from.
    pub inputs: InputSet,
    /// The hash of that.
    pub key: String,
    /// The epoch.
    pub epoch: u32,
    /// The run.
    pub run: String,
    /// What set it off.
    pub origin: Option<Origin>,
    /// When it was queued.
    pub queued: DateTime<Utc>,
    /// How it ended and when; `None` while it is under way.
    pub end: Option<(Outcome, DateTime<Utc>)>,
}

/// What is known of a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskFacts {
    /// What tells its version from others.
    pub version: String,
    /// The commit that was last accepted for it.
    pub commit: String,
    /// Since when version and commit are these.
    pub since: Option<DateTime<Utc>>,
    /// Its builds, in the order they were queued.
    pub builds: Vec<Build>,
    /// The epochs below which builds do not count, of all input sets (no key) and of single ones.
    floors: HashMap<Option<String>, (u32, DateTime<Utc>)>,
}

/// All that is known.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    tags: HashMap<String, Tag>,
    tasks: HashMap<String, TaskFacts>,
    runs: HashMap<String, String>,
}

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Touched {
    /// Nothing that was not known.
    Nothing,
    /// What a tag holds.
    Image(String),
    /// A task, and what the tags of its images hold.
    Task(String),
}

impl Facts {
    /// Folds facts in the order they were recorded.
    pub fn fold<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Self {
        let mut all = Self::default();
        for fact in facts {
            all.learn(fact);
        }
        all
    }

    /// What a tag holds, as far as is known.
    pub fn tag(&self, image: &str) -> Option<&Tag> {
        self.tags.get(image)
    }

    /// What is known of a task.
    pub fn task(&self, name: &str) -> Option<&TaskFacts> {
        self.tasks.get(name)
    }

    /// All tasks of which something is known, in no order.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (&String, &TaskFacts)> {
        self.tasks.iter()
    }

    /// Adds a fact; one that is known already, or older than what is known, changes nothing.
    pub(super) fn learn(&mut self, fact: &Fact) -> Touched {
        match fact {
            Fact::Seen { image, digest, at } => match self.see(image, digest, *at) {
                true => Touched::Image(image.clone()),
                false => Touched::Nothing,
            },
            Fact::Source {
                task,
                version,
                commit,
                at,
            } => {
                let known = self.tasks.entry(task.clone()).or_default();
                if known.since.is_some_and(|since| since >= *at) {
                    return Touched::Nothing;
                }
                (known.version, known.commit) = (version.clone(), commit.clone());
                known.since = Some(*at);
                Touched::Task(task.clone())
            }
            Fact::Raised {
                task,
                key,
                epoch,
                at,
            } => {
                let floors = &mut self.tasks.entry(task.clone()).or_default().floors;
                let floor = floors.entry(key.clone()).or_insert((0, *at));
                if *epoch > floor.0 {
                    *floor = (*epoch, *at);
                }
                Touched::Task(task.clone())
            }
            Fact::Queued {
                task,
                inputs,
                epoch,
                run,
                origin,
                at,
            } => {
                let build = Build {
                    key: inputs.key(),
                    inputs: inputs.clone(),
                    epoch: *epoch,
                    run: run.clone(),
                    origin: origin.clone(),
                    queued: *at,
                    end: None,
                };
                self.queue(task, build)
            }
            Fact::Ended { run, outcome, at } => self.end(run, outcome, *at),
        }
    }

    fn see(&mut self, image: &str, digest: &str, at: DateTime<Utc>) -> bool {
        match self.tags.get_mut(image) {
            Some(tag) if tag.looked > at => false,
            _ if digest.is_empty() => self.tags.remove(image).is_some(),
            Some(tag) if tag.digest == digest => {
                tag.looked = at;
                false
            }
            _ => {
                let digest = digest.to_owned();
                let tag = Tag {
                    digest,
                    since: at,
                    looked: at,
                };
                self.tags.insert(image.to_owned(), tag);
                true
            }
        }
    }

    fn queue(&mut self, task: &str, build: Build) -> Touched {
        let builds = &mut self.tasks.entry(task.to_owned()).or_default().builds;
        // What it stands on was not known when it was queued.
        let same_run = |it: &&mut Build| it.run == build.run && it.end.is_none();
        if let Some(known) = builds.iter_mut().find(same_run) {
            let is_news = known.key != build.key;
            *known = build;
            return match is_news {
                true => Touched::Task(task.to_owned()),
                false => Touched::Nothing,
            };
        }
        if builds
            .iter()
            .any(|it| it.key == build.key && it.epoch == build.epoch)
        {
            return Touched::Nothing;
        }
        self.runs.insert(build.run.clone(), task.to_owned());
        builds.push(build);
        Touched::Task(task.to_owned())
    }

    fn end(&mut self, run: &str, outcome: &Outcome, at: DateTime<Utc>) -> Touched {
        let Some(task) = self.runs.get(run).cloned() else {
            return Touched::Nothing;
        };
        let builds = self.tasks.get_mut(&task).map(|it| &mut it.builds);
        let of_run = builds.into_iter().flatten().find(|it| it.run == run);
        let Some(build) = of_run.filter(|it| it.end.is_none()) else {
            return Touched::Nothing;
        };
        build.end = Some((outcome.clone(), at));
        if let Outcome::Built { digests, .. } = outcome {
            for (image, digest) in digests {
                self.see(image, digest, at);
            }
        }
        Touched::Task(task)
    }
}

impl TaskFacts {
    /// The build that is under way.
    pub fn under_way(&self) -> Option<&Build> {
        self.builds.iter().rev().find(|it| it.end.is_none())
    }

    /// The lowest epoch that counts for an input set, and when it was asked for.
    pub fn floor(&self, key: &str) -> (u32, Option<DateTime<Utc>>) {
        let of_all = self.floors.get(&None);
        let of_key = self.floors.get(&Some(key.to_owned()));
        let higher = of_all.into_iter().chain(of_key).max_by_key(|it| it.0);
        higher.map_or((0, None), |(epoch, at)| (*epoch, Some(*at)))
    }

    /// The last build from an input set that still counts.
    pub fn build_of(&self, key: &str) -> Option<&Build> {
        let floor = self.floor(key).0;
        let counts = |it: &&Build| it.key == key && it.epoch >= floor;
        self.builds.iter().rev().find(counts)
    }

    /// The last build that gave an image.
    pub fn last_built(&self) -> Option<&Build> {
        let gave = |it: &&Build| matches!(it.end, Some((Outcome::Built { .. }, _)));
        self.builds.iter().rev().find(gave)
    }
}
