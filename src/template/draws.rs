//! The clock and the dice of one rendering, handed in so that rendering stays pure.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Fixes what `now` answers and what the `rand…` functions draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draws {
    /// The time that `now` answers.
    pub now: DateTime<Utc>,
    /// Where the random sequence starts; every rendering starts it again.
    pub seed: [u8; 32],
}

/// Yields the random bytes of one rendering: SHA-256 of the seed and a counter.
#[derive(Debug)]
pub struct Sequence {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Sequence {
    /// Starts the sequence that belongs to a seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Sequence {
            seed,
            counter: 0,
            block: [0; 32],
            used: 32,
        }
    }

    /// Draws one byte.
    pub fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let digest = Sha256::new()
                .chain_update(self.seed)
                .chain_update(self.counter.to_be_bytes())
                .finalize();
            self.block.copy_from_slice(&digest);
            self.counter += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// Draws `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// Draws a number below `bound`, which must not be 0, each equally likely to within 2^-32.
    pub fn below(&mut self, bound: usize) -> usize {
        (u64::from_be_bytes(self.bytes()) % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let draw = |seed| {
            let mut sequence = Sequence::new([seed; 32]);
            (0..100).map(|_| sequence.below(10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(3).iter().all(|number| *number < 10));
    }
}
