//! Walks through a `printf` format, directive by directive.
use super::flags::Flags;
use super::printer::Printer;
use crate::template::value::{Value, runes};

/// Widths and precisions beyond this do not count.
const TOO_LARGE: usize = 1_000_000;

/// Prints the values as the format says.
pub(super) fn run(
    printer: &mut Printer<'_>,
    format: &[u8],
    values: &[Value],
) -> Result<(), String> {
    let mut walk = Walk {
        format,
        position: 0,
        values,
        next: 0,
        good_index: true,
        after_index: false,
        reordered: false,
    };
    while walk.position < format.len() {
        let rest = &format[walk.position..];
        let length = rest
            .iter()
            .position(|byte| *byte == b'%')
            .unwrap_or(rest.len());
        printer.write(&rest[..length])?;
        walk.position += length;
        if walk.position < format.len() {
            walk.position += 1;
            walk.directive(printer)?;
        }
    }
    printer.flags = Flags::default();
    walk.extra(printer)
}

struct Walk<'f> {
    format: &'f [u8],
    position: usize,
    values: &'f [Value],
    next: usize,
    good_index: bool,
    after_index: bool,
    reordered: bool,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    fn directive(&mut self, printer: &mut Printer<'_>) -> Result<(), String> {
        printer.flags = Flags::default();
        self.good_index = true;
        self.after_index = false;
        self.flags(&mut printer.flags);
        self.index();
        self.width(printer)?;
        self.precision(printer)?;
        if !self.after_index {
            self.index();
        }
        match runes::first(&self.format[self.position..]) {
            None => printer.write(b"%!(NOVERB)"),
            Some((verb, width)) => {
                self.position += width;
                self.verb(printer, verb)
            }
        }
    }

    fn flags(&mut self, flags: &mut Flags) {
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => return,
            }
            self.position += 1;
        }
    }

    fn width(&mut self, printer: &mut Printer<'_>) -> Result<(), String> {
        if self.peek() == Some(b'*') {
            self.position += 1;
            match self.star() {
                Some(width) => {
                    if width < 0 {
                        printer.flags.minus = true;
                        printer.flags.zero = false;
                    }
                    printer.flags.width = Some(width.unsigned_abs() as usize);
                }
                None => printer.write(b"%!(BADWIDTH)")?,
            }
            self.after_index = false;
            return Ok(());
        }
        printer.flags.width = self.number();
        if self.after_index && printer.flags.width.is_some() {
            self.good_index = false;
        }
        Ok(())
    }

    fn precision(&mut self, printer: &mut Printer<'_>) -> Result<(), String> {
        if self.peek() != Some(b'.') || self.position + 1 == self.format.len() {
            return Ok(());
        }
        self.position += 1;
        if self.after_index {
            self.good_index = false;
        }
        self.index();
        if self.peek() == Some(b'*') {
            self.position += 1;
            match self.star() {
                Some(precision) => printer.flags.precision = usize::try_from(precision).ok(),
                None => printer.flags.precision = None,
            }
            if printer.flags.precision.is_none() {
                printer.write(b"%!(BADPREC)")?;
            }
            self.after_index = false;
        } else {
            printer.flags.precision = Some(self.number().unwrap_or(0));
        }
        Ok(())
    }

    /// Reads decimal digits; a number that is too large skips the rest of the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            let so_far = number.unwrap_or(0);
            if so_far > TOO_LARGE {
                self.position = self.format.len();
                return None;
            }
            number = Some(so_far * 10 + usize::from(byte - b'0'));
            self.position += 1;
        }
        number
    }

    /// Takes the next value as a width or precision.
    fn star(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(_, number) if number.unsigned_abs() <= TOO_LARGE as u64 => Some(*number),
            _ => None,
        }
    }

    /// Reads an explicit argument index like `[2]`.
    fn index(&mut self) {
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.position..];
        let Some(length) = rest
            .iter()
            .position(|byte| *byte == b']')
            .filter(|_| rest.len() > 2)
        else {
            self.good_index = false;
            self.position += 1;
            return;
        };
        let digits = std::str::from_utf8(&rest[1..length]).unwrap_or("");
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let index = digits
            .parse::<usize>()
            .ok()
            .filter(|index| plain && *index >= 1 && *index <= self.values.len());
        self.position += length + 1;
        match index {
            Some(index) => self.next = index - 1,
            None => self.good_index = false,
        }
        self.after_index = plain;
    }

    fn verb(&mut self, printer: &mut Printer<'_>, verb: char) -> Result<(), String> {
        if verb == '%' {
            return printer.write(b"%");
        }
        if !self.good_index {
            return printer.write(format!("%!{verb}(BADINDEX)").as_bytes());
        }
        let Some(value) = self.values.get(self.next) else {
            return printer.write(format!("%!{verb}(MISSING)").as_bytes());
        };
        self.next += 1;
        if verb == 'v' {
            printer.flags.for_verb_v();
        }
        printer.argument(value, verb)
    }

    /// Reports values that no directive asked for.
    fn extra(&self, printer: &mut Printer<'_>) -> Result<(), String> {
        if self.reordered || self.next >= self.values.len() {
            return Ok(());
        }
        printer.write(b"%!(EXTRA ")?;
        for (index, value) in self.values[self.next..].iter().enumerate() {
            if index > 0 {
                printer.write(b", ")?;
            }
            if !value.is_nil() {
                printer.write(format!("{}=", value.type_name()).as_bytes())?;
            }
            printer.argument(value, 'v')?;
        }
        printer.write(b")")
    }
}
