//! Ids of runs: short, lower case, later ones sort after earlier ones.

use chrono::{DateTime, Utc};
use rand::Rng;

/// 2026-01-01, in seconds since 1970: ids count from here.
const EPOCH: i64 = 1_767_225_600;
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Random digits at the end, for runs of one second; the store refuses an id that is taken.
const RANDOM_DIGITS: u32 = 3;
/// The same for runs that come in thousands.
const MANY_RANDOM_DIGITS: u32 = 8;

/// Draws an id for a run that is queued now.
pub fn draw(now: DateTime<Utc>) -> String {
    drawn(now, RANDOM_DIGITS)
}

/// Draws an id that does not meet another, though a hundred thousand are drawn in one second.
pub(super) fn draw_long(now: DateTime<Utc>) -> String {
    drawn(now, MANY_RANDOM_DIGITS)
}

fn drawn(now: DateTime<Utc>, digits: u32) -> String {
    let seconds = u64::try_from(now.timestamp() - EPOCH).unwrap_or(0);
    let random = rand::rng().random_range(0..36u64.pow(digits));
    format!("c{}{}", base36(seconds, 6), base36(random, digits as usize))
}

fn base36(mut number: u64, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 36) as usize];
        number /= 36;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::{base36, draw};
    use chrono::{Duration, Utc};

    #[test]
    fn ids_are_short_and_sort_by_time() {
        let now = Utc::now();
        let (early, late) = (draw(now), draw(now + Duration::seconds(2)));
        assert_eq!(early.len(), 10);
        assert!(early < late, "{early} {late}");
        assert_eq!(base36(35 + 36 * 2, 3), "02z");
    }
}
