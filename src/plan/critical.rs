//! Finds the chain of steps that decides how long the whole run takes.

use super::Plan;

/// The longest chain of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CriticalPath {
    /// Its steps, first to last.
    pub steps: Vec<u32>,
    /// The sum of their weights.
    pub weight: u64,
}

/// Finds the chain with the greatest sum of weights, such as durations in milliseconds.
pub fn critical_path(plan: &Plan, weight: impl Fn(u32) -> u64) -> CriticalPath {
    let count = plan.steps().len();
    let mut longest = vec![0u64; count];
    let mut before: Vec<Option<u32>> = vec![None; count];
    for step in plan.order() {
        let slowest = plan
            .parents(step)
            .max_by_key(|parent| (longest[*parent as usize], std::cmp::Reverse(*parent)));
        before[step as usize] = slowest;
        let lead = slowest.map_or(0, |parent| longest[parent as usize]);
        longest[step as usize] = lead + weight(step);
    }
    let Some(last) =
        (0..count as u32).max_by_key(|s| (longest[*s as usize], std::cmp::Reverse(*s)))
    else {
        return CriticalPath::default();
    };
    let mut steps: Vec<u32> =
        std::iter::successors(Some(last), |step| before[*step as usize]).collect();
    steps.reverse();
    CriticalPath {
        steps,
        weight: longest[last as usize],
    }
}
