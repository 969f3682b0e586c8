//! Prints whole numbers: `%d`, `%x`, `%c`, `%U` and their kin.
use super::printer::Printer;
use super::quoted::quote_character;
use crate::template::value::classes::is_print;
use crate::template::value::{IntKind, Value};

impl Printer<'_> {
    pub(super) fn integer(&mut self, value: &Value, verb: char) -> Result<(), String> {
        let Value::Int(kind, number) = value else {
            return self.bad_verb(value, verb);
        };
        match verb {
            'v' if self.flags.sharp_v && kind.is_unsigned() => self.go_syntax_unsigned(*number),
            'v' | 'd' => self.based(*number, 10, verb),
            'b' => self.based(*number, 2, verb),
            'o' | 'O' => self.based(*number, 8, verb),
            'x' | 'X' => self.based(*number, 16, verb),
            'c' => self.pad(to_character(*number).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(quote_character(to_character(*number), self.flags.plus).as_bytes()),
            'U' => self.code_point(*number, *kind),
            _ => self.bad_verb(value, verb),
        }
    }

    fn go_syntax_unsigned(&mut self, number: i64) -> Result<(), String> {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        let printed = self.based(number, 16, 'x');
        self.flags.sharp = sharp;
        printed
    }

    fn based(&mut self, number: i64, base: u32, verb: char) -> Result<(), String> {
        let flags = self.flags;
        if flags.precision == Some(0) && number == 0 {
            return self.pad_with_blanks(b"");
        }
        let mut digits = in_base(number.unsigned_abs(), base, verb == 'X');
        let signed = number < 0 || flags.plus || flags.space;
        let wanted = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => {
                width.saturating_sub(usize::from(signed))
            }
            _ => 0,
        };
        self.reserve(wanted)?;
        if wanted > digits.len() {
            digits.insert_str(0, &"0".repeat(wanted - digits.len()));
        }
        let prefix = match (flags.sharp, base, verb) {
            (_, _, 'O') => "0o",
            (true, 2, _) => "0b",
            (true, 8, _) if !digits.starts_with('0') => "0",
            (true, 16, 'X') => "0X",
            (true, 16, _) => "0x",
            _ => "",
        };
        let sign = match number < 0 {
            true => "-",
            false if flags.plus => "+",
            false if flags.space => " ",
            false => "",
        };
        self.pad_with_blanks(format!("{sign}{prefix}{digits}").as_bytes())
    }

    fn code_point(&mut self, number: i64, kind: IntKind) -> Result<(), String> {
        let width = self.flags.precision.unwrap_or(4).max(4);
        self.reserve(width)?;
        let digits = in_base(number as u64, 16, true);
        let zeros = "0".repeat(width.saturating_sub(digits.len()));
        let character = u32::try_from(number)
            .ok()
            .and_then(char::from_u32)
            .filter(|character| is_print(*character));
        let shown = match character {
            Some(character) if self.flags.sharp && kind != IntKind::Duration => {
                format!(" '{character}'")
            }
            _ => String::new(),
        };
        self.pad_with_blanks(format!("U+{zeros}{digits}{shown}").as_bytes())
    }
}

fn to_character(number: i64) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn in_base(number: u64, base: u32, upper: bool) -> String {
    match (base, upper) {
        (2, _) => format!("{number:b}"),
        (8, _) => format!("{number:o}"),
        (16, true) => format!("{number:X}"),
        (16, false) => format!("{number:x}"),
        _ => number.to_string(),
    }
}
