//! The plan for Graphviz.

use std::fmt::Write;

use super::{longest_chain, summary};
use crate::plan::Plan;

/// Prints a digraph; the longest chain is bold.
pub(super) fn show(plan: &Plan) -> String {
    let chain = longest_chain(plan);
    let mut out = String::from(
        "digraph plan {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n",
    );
    for (position, step) in (0u32..).zip(plan.steps()) {
        let style = if step.detach { ", style=dashed" } else { "" };
        let weight = if chain.contains(&position) {
            ", penwidth=2"
        } else {
            ""
        };
        let label = format!(
            "{}\\n{} {}",
            escape(&step.id),
            step.kind.word(),
            escape(&summary(plan, position))
        );
        let _ = writeln!(out, "  s{position} [label=\"{label}\"{style}{weight}];");
    }
    for position in 0..plan.steps().len() as u32 {
        let mut parents: Vec<u32> = plan.parents(position).collect();
        parents.sort_unstable();
        for parent in parents {
            let _ = writeln!(out, "  s{parent} -> s{position};");
        }
    }
    out.push_str("}\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
