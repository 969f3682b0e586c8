//! What of the past the fleet can do without: facts that later ones take back, and builds that nobody asks about.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::{Build, Fact, Fleet, Outcome, TaskFacts};

/// How many good builds of a task are kept, for a base that moves back.
const KEPT: usize = 3;

impl Fleet {
    /// Lists runs whose builds may be forgotten together with them: they have ended, they are not what is wanted now,
    /// no tag holds something since then, and they are neither the last of their task nor among its last good ones.
    pub fn past_runs(&self) -> Vec<String> {
        let tasks = self.facts.tasks();
        let past = tasks.flat_map(|(name, known)| self.past_of(name, known));
        past.map(|it| it.run.clone()).collect()
    }

    fn past_of<'a>(&self, name: &str, known: &'a TaskFacts) -> Vec<&'a Build> {
        let wanted = self.graph.task(name).and_then(|it| self.wanted_inputs(it));
        let wanted = wanted.map(|it| it.key());
        let good = known.builds.iter().rev().filter(|it| gave(it).is_some());
        let good: HashSet<&str> = good.take(KEPT).map(|it| it.run.as_str()).collect();
        let (_, earlier) = match known.builds.split_last() {
            Some(split) => split,
            None => return Vec::new(),
        };
        let is_past = |it: &&Build| {
            it.end.is_some()
                && Some(&it.key) != wanted.as_ref()
                && !good.contains(it.run.as_str())
                && !self.is_held(it)
        };
        earlier.iter().filter(is_past).collect()
    }

    /// Says whether a tag holds something since this build.
    fn is_held(&self, build: &Build) -> bool {
        let ended = build.end.as_ref().map(|it| it.1);
        let mut given = gave(build).into_iter().flatten();
        given.any(|(image, digest)| {
            let tag = self.facts.tag(image);
            tag.is_some_and(|it| it.digest == *digest && Some(it.since) == ended)
        })
    }
}

fn gave(build: &Build) -> Option<&std::collections::BTreeMap<String, String>> {
    match &build.end {
        Some((Outcome::Built { digests, .. }, _)) => Some(digests),
        Some((Outcome::Failed { .. }, _)) | None => None,
    }
}

/// Reads recorded facts in their order, and tells which of them say nothing any more.
#[derive(Debug, Default)]
pub struct Past {
    sees: HashMap<String, Vec<See>>,
    sources: HashMap<String, (DateTime<Utc>, i64)>,
    raised: HashMap<(String, Option<String>), (u32, i64)>,
    queued: HashMap<String, Vec<i64>>,
    superseded: Vec<i64>,
}

/// A look at a tag, or a push.
#[derive(Debug)]
struct See {
    digest: String,
    at: DateTime<Utc>,
    /// The number of the look; a push is told of by its build.
    number: Option<i64>,
}

impl Past {
    /// Takes the next fact, under its number.
    pub fn read(&mut self, number: i64, fact: &Fact) {
        match fact {
            Fact::Seen { image, digest, at } => self.see(image, digest, *at, Some(number)),
            Fact::Source { task, at, .. } => {
                let known = self.sources.entry(task.clone()).or_insert((*at, number));
                // Of two from one moment the first counts.
                if *at > known.0 {
                    self.superseded.push(known.1);
                    *known = (*at, number);
                } else if number != known.1 {
                    self.superseded.push(number);
                }
            }
            Fact::Raised {
                task, key, epoch, ..
            } => {
                let key = (task.clone(), key.clone());
                let known = self.raised.entry(key).or_insert((*epoch, number));
                if *epoch > known.0 {
                    self.superseded.push(known.1);
                    *known = (*epoch, number);
                } else if number != known.1 {
                    self.superseded.push(number);
                }
            }
            Fact::Queued { run, .. } => self.queued.entry(run.clone()).or_default().push(number),
            // The end of what never began is not heeded.
            Fact::Ended { run, .. } if !self.queued.contains_key(run) => {
                self.superseded.push(number);
            }
            Fact::Ended { outcome, at, .. } => {
                if let Outcome::Built { digests, .. } = outcome {
                    for (image, digest) in digests {
                        self.see(image, digest, *at, None);
                    }
                }
            }
        }
    }

    fn see(&mut self, image: &str, digest: &str, at: DateTime<Utc>, number: Option<i64>) {
        let digest = digest.to_owned();
        let see = See { digest, at, number };
        self.sees.entry(image.to_owned()).or_default().push(see);
    }

    /// The numbers of what may go, now that these runs are gone. The end of a build goes a time later than its
    /// beginning: whoever reads meanwhile must not take it for one that is under way.
    pub fn superseded(self, gone: &HashSet<String>) -> Vec<i64> {
        let mut numbers = self.superseded;
        for sees in self.sees.values() {
            taken_back(sees, &mut numbers);
        }
        let begun = self.queued.iter().filter(|it| gone.contains(it.0));
        numbers.extend(begun.flat_map(|it| it.1));
        numbers
    }
}

/// Looks after which the tag was found to hold something else, not earlier than they.
fn taken_back(sees: &[See], numbers: &mut Vec<i64>) {
    // The latest of all that came after, and the latest that found something else than that one.
    let (mut latest, mut other): (Option<&See>, Option<&See>) = (None, None);
    // What came between a push of what the tag holds and its being put back tells since when it is held.
    let held = sees.iter().max_by_key(|it| it.at).map(|it| &it.digest);
    let is_push = |it: &See| it.number.is_none() && Some(&it.digest) == held;
    let pushed = sees.iter().position(is_push).unwrap_or(sees.len());
    for (place, see) in sees.iter().enumerate().rev() {
        let against = match latest {
            Some(it) if it.digest == see.digest => other,
            it => it,
        };
        if place < pushed && against.is_some_and(|it| it.at >= see.at) {
            numbers.extend(see.number);
        }
        match latest {
            Some(it) if it.digest == see.digest => {
                latest = if see.at > it.at { Some(see) } else { latest };
            }
            Some(it) if see.at <= it.at => {
                other = if other.is_none_or(|it| see.at > it.at) {
                    Some(see)
                } else {
                    other
                };
            }
            _ => (latest, other) = (Some(see), latest),
        }
    }
}
