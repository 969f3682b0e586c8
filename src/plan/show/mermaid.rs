//! The plan as a Mermaid flowchart.

use std::fmt::Write;

use super::summary;
use crate::plan::Plan;

/// Prints a flowchart; detached steps are round.
pub(super) fn show(plan: &Plan) -> String {
    let mut out = String::from("flowchart LR\n");
    for (position, step) in (0u32..).zip(plan.steps()) {
        let label = format!(
            "{}<br/>{} {}",
            escape(&step.id),
            step.kind.word(),
            escape(&summary(plan, position))
        );
        let (open, close) = if step.detach {
            ("([", "])")
        } else {
            ("[", "]")
        };
        let _ = writeln!(out, "  s{position}{open}\"{label}\"{close}");
    }
    for position in 0..plan.steps().len() as u32 {
        let mut parents: Vec<u32> = plan.parents(position).collect();
        parents.sort_unstable();
        for parent in parents {
            let _ = writeln!(out, "  s{parent} --> s{position}");
        }
    }
    out
}

/// Mermaid reads labels as HTML with `#…;` entities.
fn escape(text: &str) -> String {
    text.replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}
