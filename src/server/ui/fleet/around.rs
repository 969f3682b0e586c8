//! The lineage around one image: what it stands on, what stands on it, and how each stands.

use std::collections::{BTreeMap, HashMap, HashSet};

use maud::{Markup, html};

use super::{Wanted, path_around, short_name};
use crate::{
    fleet::{Fleet, Id, Kind},
    server::ui::{
        badge::Look,
        graph::{Drawing, Node, Shape},
    },
};

/// The id of the drawing's card.
pub(super) const ID: &str = "lineage";
/// Nodes that are drawn unless more are asked for, and the most there are at once.
const USUAL: usize = 60;
const MOST: usize = 200;

/// A part of the fleet, laid out.
pub(super) struct Lineage {
    ids: Vec<Id>,
    drawing: Drawing,
    middle: Option<Id>,
}

/// The node in the middle: the one that is asked for, else what set off that something is stale, else the image that
/// most others stand on.
pub(super) fn middle(fleet: &Fleet, wanted: &Wanted) -> Option<Id> {
    let graph = fleet.graph();
    if !wanted.around.is_empty() {
        return graph.find(&wanted.around);
    }
    if let Some(id) = graph.find(&wanted.middle) {
        return Some(id);
    }
    let outdated = fleet.outdated();
    let stale = outdated
        .iter()
        .filter_map(|id| fleet.standing(*id).stale.as_ref());
    let mut origins = stale.filter_map(|it| graph.maker(&it.origin.as_ref()?.image));
    let first = || outdated.first().copied();
    let all = || graph.order().iter().copied();
    let busiest = || all().max_by_key(|id| graph.children(*id).count());
    origins.next().or_else(first).or_else(busiest)
}

/// What is drawn: a small fleet whole unless one image is asked for, else what an image stands on and what stands on it.
fn chosen(fleet: &Fleet, wanted: &Wanted, middle: Option<Id>) -> Vec<Id> {
    let graph = fleet.graph();
    let most = wanted.most.unwrap_or(USUAL).clamp(1, MOST);
    let is_whole = wanted.around.is_empty() && graph.len() <= most;
    let taken: HashSet<Id> = match middle.filter(|_| !is_whole) {
        None => graph.order().iter().take(most).copied().collect(),
        Some(id) => graph.lineage(id, most),
    };
    let all = graph.order().iter().copied();
    all.filter(|id| taken.contains(id)).collect()
}

/// The nodes in their levels, without levels that are empty.
fn shape(fleet: &Fleet, ids: &[Id]) -> Shape {
    let graph = fleet.graph();
    let places: HashMap<Id, usize> = ids.iter().copied().zip(0..).collect();
    let mut levels: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (id, place) in ids.iter().zip(0..) {
        levels.entry(graph.level(*id)).or_default().push(place);
    }
    let parents = ids.iter().map(|id| {
        let known = graph.parents(*id).filter_map(|it| places.get(&it).copied());
        known.collect()
    });
    Shape {
        levels: levels.into_values().collect(),
        parents: parents.collect(),
    }
}

impl Lineage {
    /// Lays out what is around the middle.
    pub fn new(fleet: &Fleet, wanted: &Wanted, middle: Option<Id>) -> Self {
        let ids = chosen(fleet, wanted, middle);
        Self {
            drawing: Drawing::new(&shape(fleet, &ids)),
            ids,
            middle,
        }
    }

    /// The names of what is drawn, in order.
    pub fn names(&self, fleet: &Fleet) -> Vec<String> {
        let ids = self.ids.iter();
        ids.map(|id| fleet.graph().node(*id).name.clone()).collect()
    }

    /// The nodes as they stand in this fleet, with the places at which they are drawn.
    pub fn nodes(&self, fleet: &Fleet) -> Vec<Node> {
        let numbered = (0..).zip(&self.ids);
        numbered
            .map(|(position, id)| self.node(fleet, position, *id))
            .collect()
    }

    /// The drawing.
    pub fn drawing(&self) -> &Drawing {
        &self.drawing
    }

    fn node(&self, fleet: &Fleet, position: u32, id: Id) -> Node {
        let node = fleet.graph().node(id);
        let look = Look::from(&fleet.standing(id).state);
        let on_it = fleet.graph().children(id).count();
        Node {
            position,
            id: short_name(&node.name).to_owned(),
            href: path_around(&node.name),
            look,
            note: html! {
                (look.word)
                @if node.kind == Kind::Foreign && on_it > 0 { " · under " (on_it) }
            },
            is_critical: self.middle == Some(id),
        }
    }

    /// The drawing as an element of its own.
    pub fn card(&self, fleet: &Fleet, wanted: &Wanted) -> Markup {
        let (shown, all) = (self.ids.len(), fleet.graph().len());
        let more = Wanted {
            most: Some(MOST),
            ..wanted.clone()
        };
        html! {
            section id=(ID) class="card lineage" aria-label="Lineage" {
                header {
                    h2 { "Lineage" }
                    span class="dim" { (shown) " of " (all) " nodes, bases on the left" }
                    @if shown < all && shown == USUAL && wanted.most.is_none() { a href=(more.path()) { "Show more" } }
                }
                div class="canvas" tabindex="0" role="region" aria-label="Drawing of what stands on what" {
                    (self.drawing.draw(&self.nodes(fleet), "Images and what each stands on"))
                }
            }
        }
    }
}
