//! How often a worker looks: many workers together ask the database hardly more than few do.

use std::time::Duration;

/// How often one of few workers looks when nothing wakes it.
const LOOK: Duration = Duration::from_secs(1);
/// The longest time until a worker looks by itself.
const LONGEST: Duration = Duration::from_secs(10);
/// So many workers of a pool look when one run is queued; where there are more, each leaves some to the others.
const LOOKERS: u32 = 16;
/// How long at least lies between two looks of few workers for lost runs.
const LOST: Duration = Duration::from_millis(100);
/// So many workers of a pool look for lost runs as often as one alone would.
const FINDERS: u32 = 4;

/// The pace of one worker among its colleagues.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The workers of its pool, itself included.
    pub workers: u32,
}

impl Pace {
    /// How long it waits until it looks though nothing woke it.
    pub fn pause(&self) -> Duration {
        (LOOK * (self.workers / LOOKERS).max(1)).min(LONGEST)
    }

    /// Says whether it looks when it is woken; `drawn` is a number from 0 to 1 that it draws.
    pub fn heeds(&self, drawn: f64) -> bool {
        drawn * f64::from(self.workers) < f64::from(LOOKERS)
    }

    /// How long at least lies between two looks for runs that were handed over or whose workers are lost.
    pub fn between_looks_for_lost(&self) -> Duration {
        LOST * self.workers.div_ceil(FINDERS).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_workers_heed_every_call_and_many_share_them() {
        let looked = |workers: u32| {
            let pace = Pace { workers };
            let draws = (0..1000).map(|n| f64::from(n) / 1000.0);
            draws.filter(|drawn| pace.heeds(*drawn)).count()
        };
        assert_eq!([1, 2, 16].map(looked), [1000, 1000, 1000]);
        assert_eq!([32, 1000].map(looked), [500, 16]);
    }

    #[test]
    fn all_looks_of_a_pool_together_stay_few() {
        for workers in [1, 4, 15, 16, 100, 160] {
            let pace = Pace { workers };
            let looks = f64::from(workers) / pace.pause().as_secs_f64();
            assert!(
                looks <= 32.0,
                "{workers} workers look {looks} times a second"
            );
        }
        let many = Pace { workers: 1000 };
        assert_eq!(many.pause(), Duration::from_secs(10));
        assert_eq!(Pace { workers: 4 }.between_looks_for_lost(), LOST);
        assert_eq!(many.between_looks_for_lost(), LOST * 250);
    }
}
