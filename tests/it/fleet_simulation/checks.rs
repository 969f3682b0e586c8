//! What must hold whatever happens.

use std::collections::{BTreeMap, HashMap};

use careen::fleet::{Outcome, State};

use super::world::{World, hash};

impl World {
    /// Nothing that the task stands on may be under way, or be other than it is wanted to be, as far as is known.
    pub fn check_order(&self, task: &str) {
        let id = self.fleet.graph().task(task).unwrap();
        for above in self.fleet.graph().ancestors(&[id]) {
            let name = &self.fleet.graph().node(above).name;
            let Some(ancestor) = self.tasks.iter().find(|it| it.name == *name) else {
                continue;
            };
            let is_under_way = self.runs.iter().any(|it| self.tasks[it.task].name == *name);
            assert!(!is_under_way, "{task} is begun while {name} is being built");
            let facts = self.fleet.facts();
            let holds = |image: &str| facts.tag(image).map(|it| it.digest.clone());
            let bases: Option<BTreeMap<_, _>> = ancestor
                .bases
                .iter()
                .map(|(base, _)| Some((base.clone(), holds(base)?)))
                .collect();
            let builds = facts
                .task(name)
                .map(|it| it.builds.as_slice())
                .unwrap_or_default();
            let is_fresh = builds.iter().any(|build| {
                let Some((Outcome::Built { digests, .. }, _)) = &build.end else {
                    return false;
                };
                let is_of_commit = build.inputs.commit.parse().unwrap_or(0) == ancestor.commit;
                let is_held = digests.get(name).cloned() == holds(name);
                is_of_commit && is_held && Some(&build.inputs.bases) == bases.as_ref()
            });
            assert!(
                is_fresh,
                "{task} is begun though {name} is not what it should be"
            );
        }
    }

    /// Every image must be what one would get by building everything from nothing.
    pub fn check_nothing_is_forgotten(&self) {
        let mut wanted: HashMap<&str, u64> = HashMap::new();
        for base in 0..self.bases.len() {
            let name = self.registry.get_key_value(&format!("b{base}")).unwrap();
            wanted.insert(name.0, self.contents[name.1]);
        }
        for (number, task) in self.tasks.iter().enumerate() {
            assert_eq!(self.state(number), &State::Fresh, "{}", task.name);
            let taken = task.bases.iter().filter(|it| it.1);
            let parts: Vec<u64> = taken.map(|(base, _)| wanted[base.as_str()]).collect();
            let content = hash((&task.name, task.commit, parts));
            assert_eq!(
                self.contents[&self.registry[&task.name]], content,
                "{}",
                task.name
            );
            wanted.insert(&task.name, content);
        }
        let (executed, queued) = (self.executed.len(), self.queued.len());
        assert_eq!(executed, queued, "a run was never executed");
    }
}
