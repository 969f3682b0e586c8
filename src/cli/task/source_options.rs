//! The options of a task's source trigger.

use crate::tasks::{Definition, SourceEvent, SourceTrigger};

/// The name of the trigger that `create` makes, as in ACR.
const SOURCE_TRIGGER: &str = "defaultSourceTriggerName";

/// When commits start the task.
#[derive(Debug, Clone, clap::Args)]
pub struct SourceArgs {
    /// Run on commits to the context's repository
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    commit_trigger_enabled: Option<bool>,
    /// Run on tags of the context's repository
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    tag_trigger_enabled: Option<bool>,
    /// Run on pull requests to the context's repository
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pull_request_trigger_enabled: Option<bool>,
    /// Only commits of these branches, as a glob; ! in front takes back
    #[arg(long, value_name = "GLOB")]
    on_branch: Vec<String>,
    /// Only tags like these, as a glob
    #[arg(long, value_name = "GLOB")]
    on_tag: Vec<String>,
    /// Only when one of these files changed, as a glob; the context's folder unless said
    #[arg(long, value_name = "GLOB")]
    on_path: Vec<String>,
    /// Only changes of these people, by their id at the code host
    #[arg(long, value_name = "ID")]
    on_author: Vec<String>,
    /// Pull requests from forks of these people need no approval
    #[arg(long, value_name = "ID")]
    trust_author: Vec<String>,
    /// A commit whose message says this starts nothing, in place of [skip ci] and its like
    #[arg(long, value_name = "WORD")]
    skip_message: Vec<String>,
    /// Ask the repository itself this often, where it cannot tell
    #[arg(long, value_name = "SECONDS")]
    poll_seconds: Option<u32>,
    /// Ask and fetch with the login of this connection; careen connection add makes one for the code host
    #[arg(long, value_name = "NAME")]
    git_connection: Option<String>,
}

impl SourceArgs {
    /// Writes what was said into a definition.
    pub fn apply(&self, task: &mut Definition) {
        let wanted = [
            (self.commit_trigger_enabled, SourceEvent::Commit),
            (self.tag_trigger_enabled, SourceEvent::Tag),
            (self.pull_request_trigger_enabled, SourceEvent::PullRequest),
        ];
        if wanted.iter().any(|it| it.0.is_some()) {
            let events = wanted.iter().filter(|it| it.0 == Some(true)).map(|it| it.1);
            let events: Vec<SourceEvent> = events.collect();
            task.triggers.source.retain(|it| it.name != SOURCE_TRIGGER);
            if !events.is_empty() {
                let trigger = source_trigger(task.context.as_deref(), events);
                task.triggers.source.push(trigger);
            }
        }
        let own = task.triggers.source.iter_mut();
        if let Some(trigger) = own.rev().find(|it| it.name == SOURCE_TRIGGER) {
            self.apply_filters(trigger);
        }
    }

    fn apply_filters(&self, trigger: &mut SourceTrigger) {
        for (field, given) in [
            (&mut trigger.tags, &self.on_tag),
            (&mut trigger.paths, &self.on_path),
            (&mut trigger.authors, &self.on_author),
            (&mut trigger.trusted_authors, &self.trust_author),
        ] {
            if !given.is_empty() {
                field.clone_from(given);
            }
        }
        if !self.on_branch.is_empty() {
            trigger.branch = None;
            trigger.branches.clone_from(&self.on_branch);
        }
        if !self.skip_message.is_empty() {
            trigger.skip = Some(self.skip_message.clone());
        }
        trigger.poll_seconds = self.poll_seconds.or(trigger.poll_seconds);
        let connection = self.git_connection.clone();
        trigger.connection = connection.or(trigger.connection.take());
    }
}

/// The trigger on a git context: its repository, and the branch after `#`.
fn source_trigger(context: Option<&str>, events: Vec<SourceEvent>) -> SourceTrigger {
    let (repository, rest) = context
        .map(|it| it.split_once('#').unwrap_or((it, "")))
        .unwrap_or_default();
    let branch = rest.split(':').next().filter(|it| !it.is_empty());
    SourceTrigger {
        branch: branch.map(str::to_owned),
        events,
        ..SourceTrigger::new(SOURCE_TRIGGER, repository)
    }
}
