//! Reads option words by a table, with all the spellings that docker's own command line has.

mod read;

pub use read::read;

use crate::text::Level;

/// What is wrong with one option's value.
pub struct Problem {
    level: Level,
    message: String,
    help: Option<String>,
}

impl Problem {
    /// Makes a problem that only warns: the option is dropped.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            message: message.into(),
            help: None,
        }
    }

    /// Says what to try.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self {
            level: Level::Error,
            message,
            help: None,
        }
    }
}

/// Puts the value of one option into the target; a switch has the value `true` or `false`.
pub type Apply<T> = fn(&mut T, &str) -> Result<(), Problem>;

/// What happens with an option.
pub enum Treatment<T: 'static> {
    /// It is used.
    Apply(Apply<T>),
    /// It makes no difference here; the reason is a warning.
    Ignore(&'static str),
    /// It is not supported; the reason is part of the error.
    Refuse(&'static str),
}

/// One option of a command line.
pub struct Row<T: 'static> {
    /// The name after `--`.
    pub long: &'static str,
    /// The letter after `-`.
    pub short: Option<u8>,
    /// Whether it is a switch, so that only `=` gives it a value.
    pub switch: bool,
    /// What happens with it.
    pub treatment: Treatment<T>,
}

impl<T> Row<T> {
    /// Makes an option that is used and takes a value.
    pub const fn value(long: &'static str, apply: Apply<T>) -> Self {
        Self::new(long, Treatment::Apply(apply))
    }

    /// Makes a switch that is used.
    pub const fn switch(long: &'static str, apply: Apply<T>) -> Self {
        Self::new(long, Treatment::Apply(apply)).as_switch()
    }

    /// Makes an option that is accepted with a warning.
    pub const fn ignore(long: &'static str, reason: &'static str) -> Self {
        Self::new(long, Treatment::Ignore(reason))
    }

    /// Makes an option that is an error.
    pub const fn refuse(long: &'static str, reason: &'static str) -> Self {
        Self::new(long, Treatment::Refuse(reason))
    }

    /// Gives it a letter.
    pub const fn letter(mut self, letter: u8) -> Self {
        self.short = Some(letter);
        self
    }

    /// Makes it a switch.
    pub const fn as_switch(mut self) -> Self {
        self.switch = true;
        self
    }

    const fn new(long: &'static str, treatment: Treatment<T>) -> Self {
        Self {
            long,
            short: None,
            switch: false,
            treatment,
        }
    }
}

/// A table of options, and where they end.
pub struct Grammar<T: 'static> {
    /// The options.
    pub rows: &'static [Row<T>],
    /// The command they belong to, for messages.
    pub command: &'static str,
    /// Whether options may also follow positional words.
    pub interspersed: bool,
}
