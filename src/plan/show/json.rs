//! The plan as JSON.

use serde_json::{Value, json};

use super::{longest_chain, summary};
use crate::plan::Plan;

/// Prints the steps with their parents and levels, the order, and the longest chain, all by id.
pub(super) fn show(plan: &Plan) -> String {
    let ids = |positions: Vec<u32>| -> Vec<&str> {
        positions
            .into_iter()
            .map(|p| plan.step(p).id.as_str())
            .collect()
    };
    let mut level_of = vec![0; plan.steps().len()];
    for (number, level) in plan.levels().iter().enumerate() {
        level
            .iter()
            .for_each(|step| level_of[*step as usize] = number + 1);
    }
    let steps: Vec<Value> = (0u32..)
        .zip(plan.steps())
        .map(|(position, step)| {
            let mut parents: Vec<u32> = plan.parents(position).collect();
            parents.sort_unstable();
            json!({
                "id": step.id,
                "kind": step.kind.word(),
                "what": summary(plan, position),
                "when": ids(parents),
                "level": level_of[position as usize],
                "detach": step.detach,
                "timeout_seconds": step.timeout_seconds,
            })
        })
        .collect();
    let whole = json!({
        "steps": steps,
        "order": ids(plan.order()),
        "critical_path": ids(longest_chain(plan)),
    });
    format!("{whole:#}\n")
}
