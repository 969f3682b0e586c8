//! The flags, width and precision of one directive, and padding by them.
use super::printer::Printer;
use crate::template::value::runes;

/// Is what stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub plus: bool,
    pub minus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%+v`: names the fields of structs.
    pub plus_v: bool,
    /// `%#v`: writes Go syntax.
    pub sharp_v: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
}

impl Flags {
    /// Moves `#` and `+` to their meaning under the verb `v`.
    pub fn for_verb_v(&mut self) {
        self.sharp_v = std::mem::take(&mut self.sharp);
        self.plus_v = std::mem::take(&mut self.plus);
    }
}

impl Printer<'_> {
    /// Writes text, filled up to the width.
    pub(super) fn pad(&mut self, text: &[u8]) -> Result<(), String> {
        let missing = self
            .flags
            .width
            .unwrap_or(0)
            .saturating_sub(runes::count(text));
        if self.flags.minus {
            self.write(text)?;
            self.fill(missing)
        } else {
            self.fill(missing)?;
            self.write(text)
        }
    }

    /// Does the same with blanks even where the zero flag is set.
    pub(super) fn pad_with_blanks(&mut self, text: &[u8]) -> Result<(), String> {
        let zero = std::mem::take(&mut self.flags.zero);
        let padded = self.pad(text);
        self.flags.zero = zero;
        padded
    }

    /// Writes the fill character that many times.
    pub(super) fn fill(&mut self, count: usize) -> Result<(), String> {
        let fill = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.reserve(count)?;
        self.out.resize(self.out.len() + count, fill);
        Ok(())
    }

    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), String> {
        self.reserve(text.len())?;
        self.out.extend_from_slice(text);
        Ok(())
    }
}
