//! Draws a plan or a fleet: boxes for steps or images, curves for what waits for what or stands on it.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::{
    crossings,
    layers::{Layered, Shape},
    places,
};
use crate::server::ui::badge::{Look, shapes};

/// The width of a box; what is drawn in it has its place and size from the style sheet, for there are many of it.
const WIDTH: f64 = 164.0;
/// The height of a box.
const HEIGHT: f64 = 42.0;
/// A box and the mark at its edge.
const BOX: PreEscaped<&str> = PreEscaped("<rect class=\"box\"/><rect class=\"mark\"/>");
/// Between two levels.
const GAP: f64 = 36.0;
/// The room that a box needs.
const ROOM: f64 = HEIGHT + 14.0;
/// The room that a passing edge needs.
const BEND_ROOM: f64 = 16.0;
/// Around everything.
const MARGIN: f64 = 6.0;
/// Letters of a step's id that fit into its box.
const LETTERS: usize = 17;

/// Nodes up to which each long name is told in full; in larger drawings its link tells it.
const TITLED: usize = 100;

/// The id of the edges.
pub(in crate::server::ui) const EDGES_ID: &str = "edges";

/// How a step stands, for its box.
#[derive(Debug, Clone)]
pub(in crate::server::ui) struct Node {
    /// Its position in the plan.
    pub position: u32,
    /// Its id.
    pub id: String,
    /// Colour, shape and word.
    pub look: Look,
    /// Where it leads to.
    pub href: String,
    /// What stands below its id.
    pub note: Markup,
    /// Whether it is on the critical path.
    pub is_critical: bool,
}

/// Where everything stands; made once for a plan.
#[derive(Debug)]
pub(in crate::server::ui) struct Drawing {
    corners: Vec<(f64, f64)>,
    edges: Vec<(u32, u32, String)>,
    size: (f64, f64),
}

impl Drawing {
    /// Lays nodes out.
    pub fn new(shape: &Shape) -> Self {
        let mut layered = Layered::new(shape);
        crossings::reduce(&mut layered);
        let steps = layered.steps;
        let room = |node: usize| if node < steps { ROOM } else { BEND_ROOM };
        let middle = places::place(&layered, room);
        let mut left = vec![0.0; middle.len()];
        for (level, nodes) in layered.layers.iter().enumerate() {
            nodes
                .iter()
                .for_each(|it| left[*it] = MARGIN + level as f64 * (WIDTH + GAP));
        }
        let point = |node: usize| (left[node], middle[node] + MARGIN);
        let edges = layered.edges.iter().map(|passed| {
            let (first, last) = (passed[0], passed[passed.len() - 1]);
            let points: Vec<(f64, f64)> = passed.iter().map(|it| point(*it)).collect();
            (first as u32, last as u32, curve(&points))
        });
        let lowest = (0..middle.len())
            .map(|it| middle[it] + room(it) / 2.0)
            .fold(0.0, f64::max);
        let levels = layered.layers.len().max(1) as f64;
        Self {
            edges: edges.collect(),
            corners: (0..steps)
                .map(|it| (left[it], point(it).1 - HEIGHT / 2.0))
                .collect(),
            size: (
                levels * (WIDTH + GAP) - GAP + 2.0 * MARGIN,
                lowest + 2.0 * MARGIN,
            ),
        }
    }

    /// Draws everything.
    pub fn draw(&self, nodes: &[Node], label: &str) -> Markup {
        let (width, height) = self.size;
        html! {
            svg class="graph" width=(format!("{width:.0}")) height=(format!("{height:.0}"))
                viewBox=(format!("0 0 {width:.0} {height:.0}")) role="group" aria-label=(label) {
                (shapes())
                (self.edges(nodes))
                @for node in nodes { (self.node(node)) }
            }
        }
    }

    /// Draws what waits for what; the critical path stands out.
    pub fn edges(&self, nodes: &[Node]) -> Markup {
        let is_critical = |step: &u32| nodes.get(*step as usize).is_some_and(|it| it.is_critical);
        let (mut usual, mut critical) = (String::new(), String::new());
        for (from, to, path) in &self.edges {
            match is_critical(from) && is_critical(to) {
                true => critical.push_str(path),
                false => usual.push_str(path),
            }
        }
        html! {
            g id=(EDGES_ID) {
                path class="edge" d=(usual) {}
                @if !critical.is_empty() { path class="edge critical" d=(critical) {} }
            }
        }
    }

    /// Draws one step.
    pub fn node(&self, node: &Node) -> Markup {
        let (x, y) = self
            .corners
            .get(node.position as usize)
            .copied()
            .unwrap_or_default();
        let short = shortened(&node.id);
        let has_title = *short != *node.id && self.corners.len() <= TITLED;
        let is_said = node.note.0.contains(node.look.word);
        let critical = if node.is_critical { " critical" } else { "" };
        html! {
            a id=(node_id(node.position)) class={ "node " (node.look.class) (critical) } href=(node.href)
                transform=(format!("translate({x:.0} {y:.0})")) {
                (BOX) (node.look.placed(is_said))
                text class="name" {
                    (short) @if has_title { title { (node.id) } }
                }
                text class="note" { (node.note) }
            }
        }
    }
}

/// The id of a step's box.
pub(in crate::server::ui) fn node_id(position: u32) -> String {
    format!("node-{position}")
}

/// A curve through points, in whole numbers and from each place to the next, which is shortest.
fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, pair) in points.windows(2).enumerate() {
        let ((left, y), (right, y2)) = (pair[0], pair[1]);
        let (x, y) = ((left + WIDTH).round(), y.round());
        let (wide, down) = (right.round() - x, y2.round() - y);
        let half = (wide / 2.0).round();
        // Writing to a string does not fail. A bend passes its level straight.
        let _ = match at {
            0 => write!(path, "M{x} {y}"),
            _ => write!(path, "h{WIDTH}"),
        };
        let _ = match down == 0.0 {
            true => write!(path, "h{wide}"),
            false => write!(path, "c{half} 0 {half} {down} {wide} {down}"),
        };
    }
    path
}

fn shortened(id: &str) -> String {
    match id.char_indices().nth(LETTERS) {
        None => id.to_owned(),
        Some(_) => id.chars().take(LETTERS - 1).chain(['…']).collect(),
    }
}
