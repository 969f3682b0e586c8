//! Which tasks a fact concerns, and why others are left alone.

mod entry;

use std::collections::HashMap;

use super::{Author, Happening, PullRequest, Push, Reference, SourceFact, repository_key};
use crate::tasks::{Definition, SourceEvent};

use entry::Entry;

/// The source triggers of all tasks, found by repository.
#[derive(Debug, Default)]
pub struct TaskIndex {
    by_repository: HashMap<String, Vec<Entry>>,
}

/// What was decided for a trigger that watches the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The task.
    pub task: String,
    /// The trigger.
    pub trigger: String,
    /// On what terms it starts, or why it does not.
    pub outcome: Result<Start, String>,
}

/// On what terms a fact starts a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Whether it is a stranger's work, which never sees secrets.
    pub is_restricted: bool,
    /// Whether a person must approve it first.
    pub needs_approval: bool,
    /// Why it starts, in words.
    pub reason: String,
}

impl TaskIndex {
    /// Makes the index of these tasks. A trigger whose patterns cannot be read starts nothing, and says so.
    pub fn new<'d>(tasks: impl IntoIterator<Item = &'d Definition>) -> TaskIndex {
        let mut index = TaskIndex::default();
        for task in tasks {
            for trigger in &task.triggers.source {
                if let Some(key) = repository_key(&trigger.repository) {
                    let entries = index.by_repository.entry(key).or_default();
                    entries.push(Entry::new(task, trigger));
                }
            }
        }
        index
    }

    /// Decides for each trigger that watches the repository; `only` names the one task that may be started.
    pub fn decide(&self, fact: &SourceFact, only: Option<&str>) -> Vec<Considered> {
        let mut considered: Vec<Considered> = Vec::new();
        for entry in self.watching(fact) {
            if only.is_some_and(|task| task != entry.task) {
                continue;
            }
            let starts = |it: &Considered| it.task == entry.task && it.outcome.is_ok();
            if considered.last().is_some_and(starts) {
                continue;
            }
            considered.push(Considered {
                task: entry.task.clone(),
                trigger: entry.trigger.clone(),
                outcome: entry.outcome(&fact.happening),
            });
        }
        considered
    }

    /// The triggers of the repository, however its addresses are written.
    fn watching<'i>(&'i self, fact: &SourceFact) -> impl Iterator<Item = &'i Entry> {
        let mut keys: Vec<String> = fact
            .addresses
            .iter()
            .filter_map(|it| repository_key(it))
            .collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .filter_map(|key| self.by_repository.get(&key))
            .flatten()
    }
}

impl Entry {
    fn outcome(&self, happening: &Happening) -> Result<Start, String> {
        if let Some(obstacle) = &self.obstacle {
            return Err(obstacle.clone());
        }
        match happening {
            Happening::Push(push) => self.outcome_of_push(push),
            Happening::PullRequest(request) => self.outcome_of_request(request),
            Happening::Ping => Err("a ping starts nothing".to_owned()),
            Happening::Deletion(reference) => Err(format!(
                "{} was deleted: there is nothing to build",
                reference.short()
            )),
            Happening::Other(event) => Err(format!("{event} is no event that starts runs")),
        }
    }

    fn outcome_of_push(&self, push: &Push) -> Result<Start, String> {
        let (event, patterns, name) = match &push.reference {
            Reference::Branch(name) => (SourceEvent::Commit, &self.branches, name),
            Reference::Tag(name) => (SourceEvent::Tag, &self.tags, name),
            Reference::PullRequest(_) => return Err("a pull request is not pushed".to_owned()),
        };
        self.check_event(event)?;
        if !patterns.is_empty() && !patterns.takes(name) {
            return Err(format!(
                "the trigger does not watch {}",
                push.reference.short()
            ));
        }
        self.check_author(&push.author)?;
        self.check_message(&push.message)?;
        let reason = self.check_paths(push.paths.as_deref())?;
        let short = &push.commit[..push.commit.len().min(12)];
        Ok(Start {
            is_restricted: false,
            needs_approval: false,
            reason: format!("{} is at {short}{reason}", push.reference.short()),
        })
    }

    fn outcome_of_request(&self, request: &PullRequest) -> Result<Start, String> {
        self.check_event(SourceEvent::PullRequest)?;
        if !self.branches.is_empty() && !self.branches.takes(&request.target) {
            return Err(format!(
                "the trigger does not watch pull requests into {}",
                request.target
            ));
        }
        self.check_author(&request.author)?;
        self.check_message(&request.title)?;
        let is_trusted = self.trusted.contains(&request.author.id);
        let short = &request.commit[..request.commit.len().min(12)];
        Ok(Start {
            is_restricted: request.is_fork,
            needs_approval: request.is_fork && !is_trusted,
            reason: format!("pull request {} is at {short}", request.number),
        })
    }

    fn check_event(&self, event: SourceEvent) -> Result<(), String> {
        let word = match event {
            SourceEvent::Commit => "commits",
            SourceEvent::Tag => "tags",
            SourceEvent::PullRequest => "pull requests",
        };
        match self.events.contains(&event) {
            true => Ok(()),
            false => Err(format!("the trigger does not watch {word}")),
        }
    }

    fn check_author(&self, author: &Author) -> Result<(), String> {
        match self.authors.is_empty() || self.authors.contains(&author.id) {
            true => Ok(()),
            false => Err(format!(
                "the author {} is not one of the trigger's",
                author.id
            )),
        }
    }

    fn check_message(&self, message: &str) -> Result<(), String> {
        let message = message.to_lowercase();
        match self
            .skip
            .iter()
            .find(|word| message.contains(word.as_str()))
        {
            Some(word) => Err(format!("the message says {word}")),
            None => Ok(()),
        }
    }

    /// Says what is to be added to the reason; files that are not known may be any.
    fn check_paths(&self, paths: Option<&[String]>) -> Result<&'static str, String> {
        match paths {
            _ if self.paths.is_empty() => Ok(""),
            None => Ok(", and which files changed is not known"),
            Some(paths) if paths.iter().any(|path| self.paths.takes(path)) => Ok(""),
            Some(_) => Err("no file that changed is one that the trigger watches".to_owned()),
        }
    }
}
