//! Orders each layer so that few edges cross: sweeps by the mean place of neighbours, the best of which is kept.

use super::layers::Layered;

/// Sweeps in each direction.
const SWEEPS: usize = 8;

/// Reorders the layers.
pub(super) fn reduce(layered: &mut Layered) {
    let mut best = layered.layers.clone();
    let mut fewest = count(layered);
    for sweep in 0..SWEEPS * 2 {
        if fewest == 0 {
            break;
        }
        let is_forward = sweep % 2 == 0;
        sort_layers(layered, is_forward);
        let crossings = count(layered);
        if crossings < fewest {
            fewest = crossings;
            best.clone_from(&layered.layers);
        }
    }
    layered.layers = best;
}

fn sort_layers(layered: &mut Layered, is_forward: bool) {
    let count = layered.layers.len();
    let mut place = places(layered);
    for step in 1..count {
        let layer = if is_forward { step } else { count - 1 - step };
        let neighbours = match is_forward {
            true => &layered.before,
            false => &layered.after,
        };
        let mean = |node: &usize| {
            let near = &neighbours[*node];
            let sum: f64 = near.iter().map(|it| place[*it]).sum();
            // Who has no neighbours there stays where it is.
            if near.is_empty() {
                place[*node]
            } else {
                sum / near.len() as f64
            }
        };
        let mut keyed: Vec<(f64, usize)> = layered.layers[layer]
            .iter()
            .map(|node| (mean(node), *node))
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (at, (_, node)) in keyed.iter().enumerate() {
            place[*node] = at as f64;
        }
        layered.layers[layer] = keyed.into_iter().map(|it| it.1).collect();
    }
}

fn places(layered: &Layered) -> Vec<f64> {
    let mut place = vec![0.0; layered.before.len()];
    for layer in &layered.layers {
        for (at, node) in layer.iter().enumerate() {
            place[*node] = at as f64;
        }
    }
    place
}

/// Counts the crossings between neighbouring layers: pairs of edges whose ends are in opposite order.
pub(super) fn count(layered: &Layered) -> usize {
    let place = places(layered);
    let mut crossings = 0;
    for layer in &layered.layers {
        let mut ends: Vec<f64> = Vec::new();
        for node in layer {
            let mut own: Vec<f64> = layered.after[*node].iter().map(|it| place[*it]).collect();
            own.sort_by(f64::total_cmp);
            let before = ends.len();
            for end in own {
                crossings += before - ends[..before].partition_point(|it| *it <= end);
                ends.push(end);
            }
            ends.sort_by(f64::total_cmp);
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two layers and the edges between them, by place.
    fn layered(upper: usize, lower: usize, edges: &[(usize, usize)]) -> Layered {
        let all = upper + lower;
        let mut made = Layered {
            layers: vec![(0..upper).collect(), (upper..all).collect()],
            before: vec![Vec::new(); all],
            after: vec![Vec::new(); all],
            steps: all,
            ..Layered::default()
        };
        for (from, to) in edges {
            made.after[*from].push(upper + to);
            made.before[upper + to].push(*from);
        }
        made
    }

    #[test]
    fn crossings_are_pairs_of_edges_in_opposite_order() {
        for (edges, crossings) in [
            (vec![(0, 0), (1, 1)], 0),
            (vec![(0, 1), (1, 0)], 1),
            (vec![(0, 2), (1, 1), (2, 0)], 3),
            (vec![(0, 0), (0, 1), (1, 0), (1, 1)], 1),
        ] {
            assert_eq!(count(&layered(3, 3, &edges)), crossings, "{edges:?}");
        }
    }

    #[test]
    fn what_can_be_drawn_without_crossings_is() {
        let mut crossed = layered(4, 4, &[(0, 3), (1, 2), (2, 1), (3, 0)]);
        reduce(&mut crossed);
        assert_eq!(count(&crossed), 0);
    }
}
