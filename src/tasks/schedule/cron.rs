//! Five cron fields, read by ACR's rules and handed to the `cron` crate in its own words.

use std::{fmt::Write, str::FromStr};

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// There are not five fields.
    #[error("{found} fields where cron has five: minute hour day month day-of-week")]
    FieldCount {
        /// How many there are.
        found: usize,
    },
    /// A field says what it cannot.
    #[error("the {field} field {text:?}: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What stands in it.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No day is ever right.
    #[error(
        "{0:?} can never fire: no day is ever right; day and day-of-week must both match, and short months have no 30th or 31st"
    )]
    Never(String),
    /// The time zone is not known.
    #[error("{0:?} is no time zone; write one such as Europe/Berlin")]
    TimeZone(String),
}

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Names of its values, the first value's first.
    names: &'static [&'static str],
    /// What the crate counts more than ACR.
    shift: u32,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

const FIELDS: [Field; 5] = [
    Field::numbers("minute", 0, 59),
    Field::numbers("hour", 0, 23),
    Field::numbers("day", 1, 31),
    Field {
        names: &MONTHS,
        ..Field::numbers("month", 1, 12)
    },
    // The crate counts the days of a week from 1.
    Field {
        names: &DAYS,
        shift: 1,
        ..Field::numbers("day-of-week", 0, 6)
    },
];

/// Reads five fields; nothing of the user's own text reaches the crate.
pub(super) fn read(text: &str) -> Result<cron::Schedule, ScheduleError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() != FIELDS.len() {
        let found = words.len();
        return Err(ScheduleError::FieldCount { found });
    }
    let mut translated = "0".to_owned();
    for (field, word) in FIELDS.iter().zip(&words) {
        let wrong = |problem| ScheduleError::Field {
            field: field.name,
            text: (*word).to_owned(),
            problem,
        };
        let _ = write!(translated, " {}", field.translate(word).map_err(wrong)?);
    }
    cron::Schedule::from_str(&translated).map_err(|error| ScheduleError::Field {
        field: "whole",
        text: text.to_owned(),
        problem: error.to_string(),
    })
}

impl Field {
    const fn numbers(name: &'static str, first: u32, last: u32) -> Field {
        Field {
            name,
            first,
            last,
            names: &[],
            shift: 0,
        }
    }

    fn translate(&self, word: &str) -> Result<String, String> {
        let items: Result<Vec<String>, String> =
            word.split(',').map(|item| self.item(item)).collect();
        Ok(items?.join(","))
    }

    /// Reads `*`, `a` or `a-b`, with or without `/n`.
    fn item(&self, item: &str) -> Result<String, String> {
        let (range, step) = match item.split_once('/') {
            None => (item, String::new()),
            Some((range, step)) => (range, format!("/{}", self.step(step)?)),
        };
        let range = match range.split_once('-') {
            None if range == "*" => range.to_owned(),
            None => self.value(range)?.to_string(),
            Some((from, to)) => {
                let (from, to) = (self.value(from)?, self.value(to)?);
                if from > to {
                    return Err(format!(
                        "{range} goes backwards; write its two parts with a comma"
                    ));
                }
                format!("{from}-{to}")
            }
        };
        Ok(range + &step)
    }

    fn step(&self, text: &str) -> Result<u32, String> {
        let most = self.last - self.first;
        match number(text) {
            Some(step) if (1..=most).contains(&step) => Ok(step),
            _ => Err(format!("a step is from 1 to {most}, not {text:?}")),
        }
    }

    /// A number, or the beginning of a name in English; as the crate counts.
    fn value(&self, text: &str) -> Result<u32, String> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|it| it.starts_with(&lower));
        let found = match (number(text), named) {
            (Some(number), _) => Some(number),
            (None, Some(position)) if !text.is_empty() => Some(self.first + position as u32),
            _ => None,
        };
        match found {
            Some(value) if (self.first..=self.last).contains(&value) => Ok(value + self.shift),
            Some(7) if self.shift > 0 => Err("Sunday is 0, there is no 7".to_owned()),
            Some(value) => Err(format!(
                "{value} is not from {} to {}",
                self.first, self.last
            )),
            None if self.names.is_empty() => Err(format!("{text:?} is no number")),
            None => Err(format!("{text:?} is neither a number nor an English name")),
        }
    }
}

/// Reads digits and nothing else, no sign either.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}
