//! Says how one node stands, from what is known and how its parents stand.

use std::collections::BTreeMap;

use super::{
    Action, Because, Build, Facts, Fleet, Id, InputSet, Kind, Node, Origin, Outcome, Stale,
    Standing, State, TaskFacts, fixed_digest,
};

impl Fleet {
    /// Judges a node whose parents are judged.
    pub(super) fn judge(&self, id: Id) -> Standing {
        let node = self.graph.node(id);
        if node.kind == Kind::Foreign {
            let is_known = digest_of(&self.facts, &node.name).is_some();
            let state = if is_known {
                State::Watched
            } else {
                State::Unseen
            };
            return Standing { state, stale: None };
        }
        let unknown = TaskFacts::default();
        let task = self.facts.task(&node.name).unwrap_or(&unknown);
        let (own, stale) = self.own(node, task);
        let state = match own {
            // What is under way is let be, for its push would come in the way of the next one's.
            State::Building { .. } => own,
            own => self.hold(id).unwrap_or(own),
        };
        Standing { state, stale }
    }

    /// How it would stand if its parents were settled.
    fn own(&self, node: &Node, task: &TaskFacts) -> (State, Option<Stale>) {
        let wanted = self.wanted(node, task);
        if let Some(build) = task.under_way() {
            let run = build.run.clone();
            let stale = wanted.map(|inputs| self.stale(task, &inputs, Because::NeverBuilt));
            return (State::Building { run }, stale);
        }
        let Some(inputs) = wanted else {
            // A parent was never seen, and will be blamed.
            return (State::Fresh, None);
        };
        let key = inputs.key();
        match task.build_of(&key) {
            None => {
                let because = task
                    .last_built()
                    .map_or(Because::NeverBuilt, |_| Because::Asked);
                let stale = self.stale(task, &inputs, because);
                let action = Action::Build {
                    task: node.name.clone(),
                    epoch: task.floor(&key).0,
                    origin: stale.origin.clone(),
                    inputs,
                };
                (State::Ready(Box::new(action)), Some(stale))
            }
            Some(build) => self.after(node, task, build),
        }
    }

    /// How it stands after a build from the wanted inputs.
    fn after(&self, node: &Node, task: &TaskFacts, build: &Build) -> (State, Option<Stale>) {
        let digests = match &build.end {
            None => {
                return (
                    State::Building {
                        run: build.run.clone(),
                    },
                    None,
                );
            }
            Some((Outcome::Failed { reason, .. }, _)) => {
                let (run, reason) = (build.run.clone(), reason.clone());
                let stale = self.stale(task, &build.inputs, Because::NeverBuilt);
                return (State::Failed { run, reason }, Some(stale));
            }
            Some((Outcome::Built { digests, .. }, _)) => digests,
        };
        let Some(moved) = digests
            .iter()
            .find(|(image, digest)| !self.holds(image, digest))
        else {
            return (State::Fresh, None);
        };
        let action = Action::Retag {
            task: node.name.clone(),
            tags: digests.clone(),
            run: build.run.clone(),
            key: build.key.clone(),
            epoch: build.epoch,
        };
        let because = Because::Moved {
            image: moved.0.clone(),
            holds: self.facts.tag(moved.0).map(|it| it.digest.clone()),
        };
        let stale = self.stale(task, &build.inputs, because);
        (State::Ready(Box::new(action)), Some(stale))
    }

    /// What a task is wanted to be made from, whatever is in the way; `None` while a base was never seen.
    pub fn wanted_inputs(&self, id: Id) -> Option<InputSet> {
        let node = self.graph.node(id);
        self.wanted(node, self.facts.task(&node.name)?)
    }

    fn holds(&self, image: &str, digest: &str) -> bool {
        self.facts
            .tag(image)
            .is_some_and(|tag| tag.digest == digest)
    }

    /// What the task is wanted to be made from; `None` while a base was never seen.
    fn wanted(&self, node: &Node, task: &TaskFacts) -> Option<InputSet> {
        let bases = node.bases.iter().map(|base| {
            let digest = digest_of(&self.facts, base)?;
            Some((base.clone(), digest.to_owned()))
        });
        Some(InputSet {
            version: task.version.clone(),
            commit: task.commit.clone(),
            bases: bases.collect::<Option<BTreeMap<_, _>>>()?,
        })
    }

    /// Compares what is wanted with what was last built; where they are alike it is for the other reason.
    fn stale(&self, task: &TaskFacts, wanted: &InputSet, other: Because) -> Stale {
        let Some(last) = task.last_built() else {
            let (because, since) = (Because::NeverBuilt, task.since);
            return Stale {
                because,
                since,
                origin: None,
            };
        };
        let moved = wanted
            .bases
            .iter()
            .find(|(image, digest)| last.inputs.bases.get(*image) != Some(*digest));
        if let Some((image, digest)) = moved {
            let origin = self.origin(image);
            return Stale {
                because: Because::Base {
                    image: image.clone(),
                    from: last.inputs.bases.get(image).cloned(),
                    to: digest.clone(),
                },
                since: origin.as_ref().map(|it| it.seen),
                origin,
            };
        }
        let because = if last.inputs.commit != wanted.commit {
            let (from, to) = (last.inputs.commit.clone(), wanted.commit.clone());
            Because::Source { from, to }
        } else if last.inputs.version != wanted.version {
            Because::Task
        } else {
            other
        };
        let since = match &because {
            Because::Moved { image, .. } => self.facts.tag(image).map(|it| it.since),
            Because::Asked => task.floor(&wanted.key()).1,
            _ => task.since,
        };
        Stale {
            because,
            since,
            origin: None,
        }
    }

    /// What set it off that an image holds what it holds: its own move, or the move that its build followed.
    pub fn origin(&self, image: &str) -> Option<Origin> {
        let tag = self.facts.tag(image)?;
        let maker = self.graph.maker(image).map(|id| &self.graph.node(id).name);
        let built = maker.and_then(|it| self.facts.task(it)?.last_built());
        let inherited = built.and_then(|it| it.origin.clone());
        inherited.or_else(|| {
            Some(Origin {
                image: image.to_owned(),
                digest: tag.digest.clone(),
                seen: tag.since,
            })
        })
    }

    /// Finds the parent that is in the way; one that is stuck is named first, and by its root.
    fn hold(&self, id: Id) -> Option<State> {
        let in_the_way = |parent: Id| {
            let (by, is_stuck) = match &self.standing(parent).state {
                state if state.is_settled() => return None,
                State::Held { by, is_stuck } => (*by, *is_stuck),
                State::Failed { .. } | State::Unseen => (parent, true),
                _ => (parent, false),
            };
            Some((!is_stuck, by))
        };
        let (may_pass, by) = self.graph.parents(id).filter_map(in_the_way).min()?;
        Some(State::Held {
            by,
            is_stuck: !may_pass,
        })
    }
}

fn digest_of<'a>(facts: &'a Facts, image: &'a str) -> Option<&'a str> {
    fixed_digest(image).or_else(|| Some(facts.tag(image)?.digest.as_str()))
}
