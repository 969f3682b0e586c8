//! Draws a plan or a fleet: boxes for steps or images, curves for what waits for what or stands on it.

use std::fmt::Write;

use maud::{Markup, html};

use super::{
    crossings,
    layers::{Layered, Shape},
    places,
};
use crate::server::ui::badge::Look;

/// The width of a box.
const WIDTH: f64 = 164.0;
/// The height of a box.
const HEIGHT: f64 = 42.0;
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
                (self.edges(nodes))
                @for node in nodes { (self.node(node)) }
            }
        }
    }

    /// Draws what waits for what; the critical path stands out.
    pub fn edges(&self, nodes: &[Node]) -> Markup {
        let is_critical = |step: u32| nodes.get(step as usize).is_some_and(|it| it.is_critical);
        html! {
            g id=(EDGES_ID) {
                @for (from, to, path) in &self.edges {
                    path class={ "edge" @if is_critical(*from) && is_critical(*to) { " critical" } } d=(path) {}
                }
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
        let Look { class, word, .. } = node.look;
        let short = shortened(&node.id);
        let critical = if node.is_critical { " critical" } else { "" };
        html! {
            g id=(node_id(node.position)) class={ "node " (class) (critical) }
                transform=(format!("translate({x:.0} {y:.1})")) {
                a href=(node.href) {
                    rect class="box" width=(WIDTH) height=(HEIGHT) rx="7" {}
                    rect class="edge-of-box" width="3.5" height=(HEIGHT - 16.0) x="0" y="8" rx="1.7" {}
                    g transform="translate(13 6)" role="img" aria-label=(word) { (node.look.shape()) }
                    text class="name" x="36" y="18" {
                        (short) @if *short != *node.id { title { (node.id) } }
                    }
                    text class="note" x="36" y="33" { (node.note) }
                }
            }
        }
    }
}

/// The id of a step's box.
pub(in crate::server::ui) fn node_id(position: u32) -> String {
    format!("node-{position}")
}

fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, pair) in points.windows(2).enumerate() {
        let ((left, y), (x2, y2)) = (pair[0], pair[1]);
        let x = left + WIDTH;
        // A bend passes its level straight.
        let start = if at == 0 { 'M' } else { 'L' };
        let half = (x + x2) / 2.0;
        // Writing to a string does not fail.
        let _ = write!(
            path,
            "{start}{x:.0} {y:.1}C{half:.0} {y:.1} {half:.0} {y2:.1} {x2:.0} {y2:.1}"
        );
    }
    path
}

fn shortened(id: &str) -> String {
    match id.char_indices().nth(LETTERS) {
        None => id.to_owned(),
        Some(_) => id.chars().take(LETTERS - 1).chain(['…']).collect(),
    }
}
