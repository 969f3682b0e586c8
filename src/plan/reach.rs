//! Says which steps may run beside another container of the same run.

use super::Plan;

/// A step may have a peer when some other step is neither before nor after it, or when a service started before it
/// still runs. Counting who is before and after takes one bit per pair of steps.
pub(super) fn may_have_peers(plan: &Plan) -> Vec<bool> {
    let count = plan.steps().len();
    if is_chain(plan) {
        return chain_peers(plan);
    }
    let words = count.div_ceil(64);
    let order = plan.order();
    let mut before = vec![0u64; words * count];
    let mut after_count = vec![0usize; count];
    for &step in &order {
        let own = step as usize * words;
        for parent in plan.parents(step) {
            let from = parent as usize * words;
            for word in 0..words {
                before[own + word] |= before[from + word];
            }
            before[own + parent as usize / 64] |= 1 << (parent % 64);
        }
        ones(&before[own..own + words]).for_each(|ancestor| after_count[ancestor] += 1);
    }
    (0..count)
        .map(|step| {
            let ancestors = &before[step * words..(step + 1) * words];
            let related = ones(ancestors).count() + after_count[step] + 1;
            related < count
                || plan.steps()[step].detach
                || ones(ancestors).any(|ancestor| plan.steps()[ancestor].detach)
        })
        .collect()
}

/// The common case, answered without the table: every step waits for the one above it.
fn is_chain(plan: &Plan) -> bool {
    (0..plan.steps().len() as u32).all(|step| {
        let parents: Vec<u32> = plan.parents(step).take(2).collect();
        if step == 0 {
            parents.is_empty()
        } else {
            parents == [step - 1]
        }
    })
}

fn chain_peers(plan: &Plan) -> Vec<bool> {
    let mut service_runs = false;
    plan.steps()
        .iter()
        .map(|step| {
            service_runs |= step.detach;
            service_runs
        })
        .collect()
}

/// Lists the positions of the bits that are set.
fn ones(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(index, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(index * 64 + bit)
        })
    })
}
