//! How far a follower of a run has read: the id of each message, sent back as `Last-Event-ID`.

use std::{collections::BTreeMap, str::FromStr};

use crate::ports::LogKey;

/// Events of a generation and lines of each log that were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// The generation whose events are counted.
    pub generation: u32,
    /// The number of the last event.
    pub event: u64,
    /// The next line of each log, by generation, step and attempt.
    pub lines: BTreeMap<(u32, u32, u32), u64>,
}

impl Position {
    /// Notes that a line was sent.
    pub fn passed(&mut self, key: &LogKey, line: u64) {
        let log = (key.generation, key.step, key.attempt);
        self.lines.insert(log, line + 1);
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.generation, self.event)?;
        let mut lines = self.lines.iter();
        lines.try_for_each(|((generation, step, attempt), next)| {
            write!(f, ",{generation}.{step}.{attempt}.{next}")
        })
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no position");
        let numbers = |part: &str| -> Result<Vec<u64>, String> {
            let numbers = part.split('.').map(|it| it.parse().map_err(|_| wrong()));
            numbers.collect()
        };
        let small = |number: u64| u32::try_from(number).map_err(|_| wrong());
        let mut parts = text.split(',');
        let [generation, event] = numbers(parts.next().unwrap_or_default())?[..] else {
            return Err(wrong());
        };
        let mut lines = BTreeMap::new();
        for part in parts {
            let [of, step, attempt, next] = numbers(part)?[..] else {
                return Err(wrong());
            };
            lines.insert((small(of)?, small(step)?, small(attempt)?), next);
        }
        let generation = small(generation)?;
        Ok(Self {
            generation,
            event,
            lines,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn a_position_reads_back_as_written() {
        for text in ["0.0", "1.17", "2.3,1.0.1.40,2.0.1.7"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "",
            "1",
            "1.x",
            "1.2,3",
            "1.2,1.2.3",
            "1.2,-1.0.0.0",
            "99999999999.1",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
