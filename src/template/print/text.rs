//! Prints strings: `%s`, `%q`, `%x`.
use super::printer::Printer;
use super::quoted::{can_back_quote, quote, quote_ascii};
use crate::template::value::{Value, runes};

impl Printer<'_> {
    pub(super) fn text(&mut self, text: &[u8], verb: char, value: &Value) -> Result<(), String> {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.truncated(text),
            'x' => self.hexadecimal(text, b"0123456789abcdefx"),
            'X' => self.hexadecimal(text, b"0123456789ABCDEFX"),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    /// Writes text cut to the precision and filled to the width.
    pub(super) fn truncated(&mut self, text: &[u8]) -> Result<(), String> {
        let text = self.cut(text);
        self.pad(text)
    }

    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        runes::indexed(text)
            .nth(precision)
            .map_or(text, |(end, ..)| &text[..end])
    }

    fn quoted(&mut self, text: &[u8]) -> Result<(), String> {
        let text = self.cut(text);
        self.reserve(text.len() * 4)?;
        if self.flags.sharp && can_back_quote(text) {
            return self.pad(&[b"`", text, b"`"].concat());
        }
        let quoted = if self.flags.plus {
            quote_ascii(text)
        } else {
            quote(text)
        };
        self.pad(quoted.as_bytes())
    }

    /// Writes each byte as two digits; a blank flag parts them.
    fn hexadecimal(&mut self, text: &[u8], digits: &[u8; 17]) -> Result<(), String> {
        let text = &text[..self.flags.precision.unwrap_or(text.len()).min(text.len())];
        self.reserve(text.len() * 5)?;
        let mut printed = Vec::with_capacity(text.len() * 2);
        for (index, byte) in text.iter().enumerate() {
            if self.flags.space && index > 0 {
                printed.push(b' ');
            }
            if self.flags.sharp && (index == 0 || self.flags.space) {
                printed.extend([b'0', digits[16]]);
            }
            printed.extend([
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]);
        }
        self.pad(&printed)
    }
}
