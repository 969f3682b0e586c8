//! The graph as text and as JSON.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Value, json};

use super::super::{Fleet, Id};

/// Lists these nodes level by level, each with what it stands on.
pub fn text(fleet: &Fleet, ids: &BTreeSet<Id>) -> String {
    let mut page = String::new();
    for level in fleet.graph().by_level(ids.iter().copied()) {
        // Writing to a String does not fail.
        let _ = writeln!(
            page,
            "level {}",
            level.first().map_or(0, |&id| fleet.graph().level(id))
        );
        for id in level {
            let node = fleet.graph().node(id);
            let _ = write!(
                page,
                "  {} ({})",
                node.name,
                fleet.standing(id).state.word()
            );
            if !node.bases.is_empty() {
                let _ = write!(page, " on {}", node.bases.join(", "));
            }
            page.push('\n');
        }
    }
    page
}

/// These nodes and the edges between them, for programs.
pub fn json(fleet: &Fleet, ids: &BTreeSet<Id>) -> Value {
    let name = |id: Id| fleet.graph().node(id).name.as_str();
    let node = |&id: &Id| {
        let node = fleet.graph().node(id);
        json!({
            "name": node.name,
            "kind": node.kind,
            "images": node.images,
            "bases": node.bases,
            "level": fleet.graph().level(id),
            "state": fleet.standing(id).state.word(),
            "stale": fleet.standing(id).stale,
            "still": fleet.still(id),
        })
    };
    let below = |&id: &Id| {
        let bases = fleet.graph().parents(id).filter(|it| ids.contains(it));
        bases
            .map(|base| json!({"from": name(base), "to": name(id)}))
            .collect::<Vec<_>>()
    };
    json!({
        "nodes": ids.iter().map(node).collect::<Vec<_>>(),
        "edges": ids.iter().flat_map(below).collect::<Vec<_>>(),
    })
}
