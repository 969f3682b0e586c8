//! How often a worker looks: many workers together ask the database hardly more than few do.

use std::time::Duration;

/// How often one of few workers looks when nothing wakes it.
const LOOK: Duration = Duration::from_secs(1);
/// The longest time until a worker looks by itself.
const LONGEST: Duration = Duration::from_secs(10);
/// So many workers of a pool look when one run is queued, half of them if they are idle; where there are more, each
/// leaves some to the others.
const LOOKERS: u32 = 16;
/// So many workers of a pool look for lost and handed-over runs whenever they look; more share that out.
const FINDERS: u32 = 4;
/// How soon after a look for lost and handed-over runs the next one is worth it, however often the worker is woken.
const LOST: Duration = Duration::from_millis(100);

/// The pace of one worker among its colleagues.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The workers of its pool, itself included.
    pub workers: u32,
    /// Whether it found nothing when it last looked: then there are more than enough of them.
    pub is_idle: bool,
}

impl Pace {
    /// How long it waits until it looks though nothing woke it; few look soon again for lost runs they have skipped.
    pub fn pause(&self, has_skipped_lost: bool) -> Duration {
        match has_skipped_lost && self.workers <= FINDERS {
            true => LOST,
            false => (LOOK * (self.workers / LOOKERS).max(1)).min(LONGEST),
        }
    }

    /// Says whether it looks when it is woken; `drawn` is a number from 0 to 1 that it draws.
    pub fn heeds(&self, drawn: f64) -> bool {
        let lookers = if self.is_idle { LOOKERS / 2 } else { LOOKERS };
        drawn * f64::from(self.workers) < f64::from(lookers)
    }

    /// How long it waits between looks for runs that were handed over or whose workers are lost; leases have `grace`.
    pub fn between_looks_for_lost(&self, grace: Duration) -> Duration {
        match self.workers <= FINDERS {
            true => LOST,
            false => grace / 2 * self.workers.div_ceil(FINDERS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(workers: u32) -> Pace {
        Pace {
            workers,
            is_idle: false,
        }
    }

    #[test]
    fn few_workers_heed_every_call_and_many_share_them() {
        let looked = |workers: u32, is_idle: bool| {
            let pace = Pace { workers, is_idle };
            let draws = (0..1000).map(|n| f64::from(n) / 1000.0);
            draws.filter(|drawn| pace.heeds(*drawn)).count()
        };
        let all = [1, 8, 16, 32, 1000];
        assert_eq!(all.map(|it| looked(it, false)), [1000, 1000, 1000, 500, 16]);
        assert_eq!(all.map(|it| looked(it, true)), [1000, 1000, 500, 250, 8]);
    }

    #[test]
    fn all_looks_of_a_pool_together_stay_few() {
        for workers in [1, 4, 15, 16, 100, 160] {
            let pace = of(workers);
            let looks = f64::from(workers) / pace.pause(false).as_secs_f64();
            assert!(
                looks <= 32.0,
                "{workers} workers look {looks} times a second"
            );
        }
        let many = of(1000);
        assert_eq!(many.pause(true), Duration::from_secs(10));
        let grace = Duration::from_secs(15);
        assert_eq!(of(4).between_looks_for_lost(grace), LOST);
        assert_eq!(many.between_looks_for_lost(grace), grace / 2 * 250);
    }
}
