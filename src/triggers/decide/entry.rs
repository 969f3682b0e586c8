//! A source trigger of a task, ready to be compared with facts.

use crate::{
    spec::context::{self, ContextRef},
    tasks::{Definition, SourceEvent, SourceTrigger, Status},
    triggers::{Patterns, repository_key},
};

/// What a message says that is not to start anything, where the trigger does not say otherwise.
const SKIP: [&str; 5] = [
    "[skip ci]",
    "[ci skip]",
    "[no ci]",
    "[skip careen]",
    "[careen skip]",
];

/// A source trigger of a task.
#[derive(Debug)]
pub struct Entry {
    pub task: String,
    pub trigger: String,
    /// Why it starts nothing whatever happens.
    pub obstacle: Option<String>,
    pub events: Vec<SourceEvent>,
    pub branches: Patterns,
    pub tags: Patterns,
    pub paths: Patterns,
    /// Ids of those whose pushes start it; all where there are none.
    pub authors: Vec<String>,
    /// Ids of those whose forks need no approval.
    pub trusted: Vec<String>,
    /// In lower case.
    pub skip: Vec<String>,
}

impl Entry {
    /// Compiles a trigger.
    pub fn new(task: &Definition, trigger: &SourceTrigger) -> Entry {
        let mut entry = Entry {
            task: task.name.clone(),
            trigger: trigger.name.clone(),
            obstacle: disabled(task, trigger),
            events: trigger.events.clone(),
            branches: Patterns::default(),
            tags: Patterns::default(),
            paths: Patterns::default(),
            authors: trigger.authors.clone(),
            trusted: trigger.trusted_authors.clone(),
            skip: match &trigger.skip {
                Some(words) => words.iter().map(|word| word.to_lowercase()).collect(),
                None => SKIP.map(str::to_owned).to_vec(),
            },
        };
        if let Err(error) = entry.compile(task, trigger) {
            entry.obstacle = Some(error);
        }
        entry
    }

    fn compile(&mut self, task: &Definition, trigger: &SourceTrigger) -> Result<(), String> {
        let branches = trigger.branches.iter().chain(&trigger.branch);
        self.branches = Patterns::new(branches.map(String::as_str))?;
        self.tags = Patterns::new(trigger.tags.iter().map(String::as_str))?;
        let own: Vec<String> = match trigger.paths.is_empty() {
            true => folder(task, trigger)
                .map(|it| format!("{it}/**"))
                .into_iter()
                .collect(),
            false => trigger.paths.clone(),
        };
        self.paths = Patterns::new(own.iter().map(String::as_str))?;
        Ok(())
    }
}

fn disabled(task: &Definition, trigger: &SourceTrigger) -> Option<String> {
    if task.status == Status::Disabled {
        return Some("the task is disabled".to_owned());
    }
    (trigger.status == Status::Disabled).then(|| "the trigger is disabled".to_owned())
}

/// The folder of the repository that is the task's context, if it is the repository that the trigger watches.
fn folder(task: &Definition, trigger: &SourceTrigger) -> Option<String> {
    let written = context::read(task.context.as_deref()?).ok()?;
    let ContextRef::Git(git) = written.context else {
        return None;
    };
    let is_same = repository_key(&git.url) == repository_key(&trigger.repository);
    git.directory.filter(|_| is_same)
}
