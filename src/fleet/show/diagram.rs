//! The graph as Graphviz and Mermaid draw it.

use std::{collections::BTreeSet, fmt::Write};

use super::super::{Fleet, Id, Kind};

/// Writes these nodes in the language of Graphviz.
pub fn dot(fleet: &Fleet, ids: &BTreeSet<Id>) -> String {
    let mut page = "digraph fleet {\n  rankdir=LR;\n".to_owned();
    for &id in ids {
        let shape = match fleet.graph().node(id).kind {
            Kind::Task => "box",
            Kind::Foreign => "ellipse",
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            page,
            "  n{} [shape={shape}, label=\"{}\"];",
            id.index(),
            label(fleet, id, "\\n")
        );
    }
    each_edge(fleet, ids, |base, id| {
        let _ = writeln!(page, "  n{} -> n{};", base.index(), id.index());
    });
    page.push_str("}\n");
    page
}

/// Writes these nodes in the language of Mermaid.
pub fn mermaid(fleet: &Fleet, ids: &BTreeSet<Id>) -> String {
    let mut page = "graph LR\n".to_owned();
    for &id in ids {
        let (open, close) = match fleet.graph().node(id).kind {
            Kind::Task => ("[", "]"),
            Kind::Foreign => ("([", "])"),
        };
        let label = label(fleet, id, "<br>");
        let _ = writeln!(page, "  n{}{open}\"{label}\"{close}", id.index());
    }
    each_edge(fleet, ids, |base, id| {
        let _ = writeln!(page, "  n{} --> n{}", base.index(), id.index());
    });
    page
}

/// Name and state; names hold no quotes, for the checks of tasks and references refuse them.
fn label(fleet: &Fleet, id: Id, line_end: &str) -> String {
    let name = &fleet.graph().node(id).name;
    format!("{name}{line_end}{}", fleet.standing(id).state.word())
}

fn each_edge(fleet: &Fleet, ids: &BTreeSet<Id>, mut visit: impl FnMut(Id, Id)) {
    for &id in ids {
        let bases: BTreeSet<Id> = fleet.graph().parents(id).collect();
        for base in bases.intersection(ids) {
            visit(*base, id);
        }
    }
}
