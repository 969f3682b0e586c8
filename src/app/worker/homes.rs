//! Which runs a worker prefers: those of tasks that are at home with it, but the oldest now and then whosever it is.

use crate::tasks::homes;

/// One claim in so many goes by age alone, so that preferences keep no run waiting for a worker that is busy or gone.
const BY_AGE: u32 = 4;

/// The buckets that are at home with a worker, as long as its colleagues stay the same.
#[derive(Debug, Default)]
pub struct Homes {
    workers: Vec<String>,
    buckets: Vec<u8>,
    claims: u32,
}

impl Homes {
    /// Shares the buckets out anew when workers have come or gone.
    pub fn settle(&mut self, worker: &str, mut workers: Vec<String>) {
        workers.sort_unstable();
        if workers != self.workers {
            self.buckets = homes(worker, &workers);
            self.workers = workers;
        }
    }

    /// What the next claim prefers; nothing when the oldest run has its turn.
    pub fn for_next_claim(&mut self) -> Vec<u8> {
        self.claims = self.claims.wrapping_add(1);
        match self.claims.is_multiple_of(BY_AGE) {
            true => Vec::new(),
            false => self.buckets.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_claim_in_four_goes_by_age_and_shares_follow_the_workers() {
        let mut own = Homes::default();
        own.settle("a", vec!["b".to_owned(), "a".to_owned()]);
        let preferring: Vec<bool> = (0..8).map(|_| !own.for_next_claim().is_empty()).collect();
        assert_eq!(
            preferring,
            [true, true, true, false, true, true, true, false]
        );
        own.settle("a", vec!["a".to_owned()]);
        assert!(
            (0..8).all(|_| own.for_next_claim().is_empty()),
            "alone it has no preference"
        );
    }
}
