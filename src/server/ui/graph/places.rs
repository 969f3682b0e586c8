//! Gives every node its height: near its neighbours, in the order of its layer, never on top of another.

use super::layers::Layered;

/// Rounds through all layers.
const ROUNDS: usize = 24;

/// Places the middle of each node; `height` tells how much room a node needs.
pub(super) fn place(layered: &Layered, height: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut middle = vec![0.0; layered.before.len()];
    for layer in &layered.layers {
        let mut top = 0.0;
        for node in layer {
            middle[*node] = top + height(*node) / 2.0;
            top += height(*node);
        }
    }
    for round in 0..ROUNDS {
        let layers: Vec<&Vec<usize>> = match round % 2 {
            0 => layered.layers.iter().collect(),
            _ => layered.layers.iter().rev().collect(),
        };
        for layer in layers {
            settle(layer, layered, &height, &mut middle);
        }
    }
    let top = layered.layers.iter().filter_map(|it| it.first());
    let top = top
        .map(|it| middle[*it] - height(*it) / 2.0)
        .fold(f64::MAX, f64::min);
    middle.iter_mut().for_each(|it| *it -= top);
    middle
}

/// Moves the nodes of a layer as near to the mean of their neighbours as their order and sizes allow.
fn settle(layer: &[usize], layered: &Layered, height: &impl Fn(usize) -> f64, middle: &mut [f64]) {
    // Without the room that the nodes above need, heights only have to rise: least squares under that is solved by
    // pooling neighbours that are in the wrong order.
    let mut above = 0.0;
    let mut pools: Vec<(f64, usize)> = Vec::new();
    let mut offsets = Vec::with_capacity(layer.len());
    for node in layer {
        let offset = above + height(*node) / 2.0;
        above += height(*node);
        offsets.push(offset);
        let mut pool = (wish(*node, layered, middle) - offset, 1);
        while let Some(last) = pools.last()
            && last.0 > pool.0
        {
            let (value, count) = *last;
            let all = count + pool.1;
            pool = (
                (value * count as f64 + pool.0 * pool.1 as f64) / all as f64,
                all,
            );
            pools.pop();
        }
        pools.push(pool);
    }
    let values = pools
        .into_iter()
        .flat_map(|(value, count)| std::iter::repeat_n(value, count));
    for ((node, offset), value) in layer.iter().zip(offsets).zip(values) {
        middle[*node] = value + offset;
    }
}

fn wish(node: usize, layered: &Layered, middle: &[f64]) -> f64 {
    let near = layered.before[node].iter().chain(&layered.after[node]);
    let (sum, count) = near.fold((0.0, 0), |(sum, count), it| (sum + middle[*it], count + 1));
    if count == 0 {
        middle[node]
    } else {
        sum / f64::from(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_between_two_stands_in_the_middle_and_none_overlap() {
        let layered = Layered {
            layers: vec![vec![0, 1], vec![2], vec![3, 4, 5]],
            before: vec![vec![], vec![], vec![0, 1], vec![2], vec![2], vec![2]],
            after: vec![vec![2], vec![2], vec![3, 4, 5], vec![], vec![], vec![]],
            steps: 6,
            ..Layered::default()
        };
        let middle = place(&layered, |_| 10.0);
        assert!((middle[2] - middle[4]).abs() < 0.01, "{middle:?}");
        assert!(
            middle[4] - middle[3] >= 9.99 && middle[5] - middle[4] >= 9.99,
            "{middle:?}"
        );
        assert!(middle.iter().all(|it| *it >= 4.99), "{middle:?}");
    }
}
