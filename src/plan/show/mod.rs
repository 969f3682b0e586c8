//! Prints a plan: for people, for Graphviz, for Mermaid, for programs.

mod dot;
mod json;
mod mermaid;
mod text;

use super::Plan;

/// How to print a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A list by level, for people.
    Text,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
    /// JSON.
    Json,
}

/// Prints the plan; ends with a newline.
pub fn show(plan: &Plan, format: Format) -> String {
    match format {
        Format::Text => text::show(plan),
        Format::Dot => dot::show(plan),
        Format::Mermaid => mermaid::show(plan),
        Format::Json => json::show(plan),
    }
}

/// What a step does, in one short line.
fn summary(plan: &Plan, step: u32) -> String {
    let text = match &plan.step(step).kind {
        crate::spec::StepKind::Cmd(command) => &command.text,
        crate::spec::StepKind::Build(build) => &build.text,
        crate::spec::StepKind::Push(push) => &push.images.join(", "),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// The steps of the longest chain when every step counts as one.
fn longest_chain(plan: &Plan) -> Vec<u32> {
    super::critical_path(plan, |_| 1).steps
}
