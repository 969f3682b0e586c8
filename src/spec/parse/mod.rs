//! Reads rendered task-file text into a Task, finding every error in one pass.

pub mod codes;

mod directory;
mod env;
mod keys;
mod kind;
mod network;
mod reader;
mod secret;
mod step;
mod task;
mod unknown;
mod unsupported;
mod version;
mod volume;
mod when;

use super::{Task, alias::Aliases};
use crate::text::{Diagnostics, Span};
use crate::yaml;

/// Reads a rendered task file. The task is `None` when an error was found; spans are byte ranges of `text`.
pub fn parse(text: &str, aliases: &Aliases) -> (Option<Task>, Diagnostics) {
    parse_within(text, aliases, "")
}

/// Reads a rendered task file whose steps begin in a folder of the workspace, unless it says otherwise.
pub fn parse_within(text: &str, aliases: &Aliases, directory: &str) -> (Option<Task>, Diagnostics) {
    let (root, findings) = yaml::compose(text);
    let mut reader = reader::Reader::new(text, findings);
    directory.clone_into(&mut reader.directory);
    let task = match &root {
        Some(root) => task::read(&mut reader, root, aliases),
        None => Task::default(),
    };
    let findings = in_order(reader.findings);
    let task = (!findings.has_errors()).then_some(task);
    (task, findings)
}

/// Sorts findings by place, for the checks do not go through a file from top to bottom.
fn in_order(findings: Diagnostics) -> Diagnostics {
    let mut sorted: Vec<_> = findings.into_iter().collect();
    sorted.sort_by_key(|finding| {
        finding
            .span
            .map_or((0, 0), |Span { start, end }| (start, end))
    });
    let mut findings = Diagnostics::default();
    sorted
        .into_iter()
        .for_each(|finding| findings.push(finding));
    findings
}
