//! Number constants, which are every Go type they fit.
use crate::template::value::Value;

/// Is a number constant with all its readings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number {
    text: String,
    integer: Option<i64>,
    unsigned: Option<u64>,
    float: Option<f64>,
    complex: Option<(f64, f64)>,
}

impl Number {
    /// Reads a number as written in a template.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(imaginary) = text.strip_suffix('i')
            && let Some(number) = parse_float(imaginary)
        {
            return Ok(Number::from_complex(text, 0.0, number));
        }
        let unsigned = text
            .bytes()
            .next()
            .filter(|byte| *byte != b'-' && *byte != b'+')
            .and_then(|_| parse_digits(text));
        let integer = parse_signed(text);
        let mut number = Number {
            text: text.into(),
            integer,
            unsigned,
            ..Number::default()
        };
        if integer == Some(0) {
            number.unsigned = Some(0);
        }
        match (number.integer, number.unsigned) {
            (Some(whole), _) => number.float = Some(whole as f64),
            (None, Some(whole)) => number.float = Some(whole as f64),
            (None, None) => number.read_float()?,
        }
        Ok(number)
    }

    /// Reads a pair like `1+2i`.
    pub fn parse_complex(text: &str) -> Result<Self, String> {
        let illegal = || format!("illegal number syntax: {text:?}");
        let body = text.strip_suffix('i').ok_or_else(illegal)?;
        let splits = body
            .char_indices()
            .skip(1)
            .filter(|(_, character)| matches!(character, '+' | '-'));
        for (split, _) in splits {
            if let (Some(real), Some(imaginary)) =
                (parse_float(&body[..split]), parse_float(&body[split..]))
            {
                return Ok(Number::from_complex(text, real, imaginary));
            }
        }
        Err(illegal())
    }

    /// Takes a character constant for its code point.
    pub fn from_character(code_point: u32) -> Self {
        let whole = i64::from(code_point);
        let readings = (Some(whole), Some(whole as u64), Some(whole as f64));
        Number {
            text: "'".into(),
            integer: readings.0,
            unsigned: readings.1,
            float: readings.2,
            complex: None,
        }
    }

    fn from_complex(text: &str, real: f64, imaginary: f64) -> Self {
        let mut number = Number {
            text: text.into(),
            complex: Some((real, imaginary)),
            ..Number::default()
        };
        if imaginary == 0.0 {
            number.set_float(real);
        }
        number
    }

    fn read_float(&mut self) -> Result<(), String> {
        let float = parse_float(&self.text)
            .ok_or_else(|| format!("illegal number syntax: {:?}", self.text))?;
        if !self.text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {:?}", self.text));
        }
        self.set_float(float);
        Ok(())
    }

    fn set_float(&mut self, float: f64) {
        self.float = Some(float);
        self.integer =
            (float.trunc() == float && (-9.3e18..9.2e18).contains(&float)).then_some(float as i64);
        self.unsigned =
            (float.trunc() == float && (0.0..1.8e19).contains(&float)).then_some(float as u64);
    }

    /// Answers the value where any type will do; a whole number too large for `int` is an error.
    pub fn ideal(&self) -> Result<Value, String> {
        if let Some((real, imaginary)) = self.complex {
            return Ok(Value::Complex(real, imaginary));
        }
        let is_hexadecimal = self.text.starts_with("0x") || self.text.starts_with("0X");
        let looks_whole = is_hexadecimal && !self.text.contains(['p', 'P']);
        match (self.float, self.integer) {
            (Some(float), _) if !looks_whole && self.text.contains(['.', 'e', 'E', 'p', 'P']) => {
                Ok(Value::Float(float))
            }
            (_, Some(whole)) => Ok(Value::int(whole)),
            _ => Err(format!("{} overflows int", self.text)),
        }
    }

    /// Reads it as a whole number.
    pub fn as_integer(&self) -> Option<i64> {
        self.integer
    }

    /// Reads it as a whole number without sign.
    pub fn as_unsigned(&self) -> Option<u64> {
        self.unsigned
    }

    /// Reads it as a floating point number.
    pub fn as_float(&self) -> Option<f64> {
        self.float
    }
}

fn parse_signed(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = i128::from(parse_digits(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Reads digits in the base their prefix names, underscores between them allowed after a prefix.
fn parse_digits(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if lower.contains('_') && !underscores_are_fine(&lower) {
        return None;
    }
    let bare = digits.replace('_', "");
    let plain = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain
        .then(|| u64::from_str_radix(&bare, base).ok())
        .flatten()
}

/// Says whether every underscore stands between digits or after a base prefix.
fn underscores_are_fine(lower: &str) -> bool {
    let has_prefix = matches!(lower.get(..2), Some("0x" | "0o" | "0b"));
    let body = if has_prefix { &lower[2..] } else { lower };
    let is_hexadecimal = lower.starts_with("0x");
    let is_digit = |byte: u8| byte.is_ascii_digit() || is_hexadecimal && byte.is_ascii_hexdigit();
    let bytes = body.as_bytes();
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(index, _)| {
            let before = index
                .checked_sub(1)
                .map_or(has_prefix, |before| is_digit(bytes[before]));
            before && bytes.get(index + 1).is_some_and(|after| is_digit(*after))
        })
}

/// Reads a floating point number as `strconv.ParseFloat` does, hexadecimal ones and underscores included.
pub fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let lower = unsigned.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    if let Some(hexadecimal) = lower.strip_prefix("0x") {
        let fine = !lower.contains('_') || underscores_are_fine(&lower);
        return fine
            .then(|| hexadecimal_float(&hexadecimal.replace('_', "")))
            .flatten()
            .map(|number| sign * number);
    }
    if lower.contains('_') && !underscores_are_fine(&lower) {
        return None;
    }
    let bare = lower.replace('_', "");
    let is_part = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-');
    let number: f64 = bare
        .bytes()
        .all(is_part)
        .then(|| bare.parse().ok())
        .flatten()?;
    number.is_finite().then_some(sign * number)
}

fn hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let mantissa = u64::from_str_radix(&digits, 16).ok()?;
    let exponent = exponent
        .parse::<i32>()
        .ok()?
        .checked_sub(4 * fraction.len() as i32)?;
    let number = mantissa as f64 * 2f64.powi(exponent);
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_every_type_it_fits() {
        for (text, integer, unsigned, float) in [
            ("1", Some(1), Some(1), Some(1.0)),
            ("-1", Some(-1), None, Some(-1.0)),
            ("0x1F", Some(31), Some(31), Some(31.0)),
            ("0b101", Some(5), Some(5), Some(5.0)),
            ("017", Some(15), Some(15), Some(15.0)),
            ("1_000", Some(1000), Some(1000), Some(1000.0)),
            ("1__0", None, None, None),
            ("1e3", Some(1000), Some(1000), Some(1000.0)),
            ("1.5", None, None, Some(1.5)),
            ("0x1p-2", None, None, Some(0.25)),
            (
                "18446744073709551615",
                None,
                Some(u64::MAX),
                Some(u64::MAX as f64),
            ),
            ("99999999999999999999", None, None, None),
            ("08", None, None, None),
        ] {
            let number = Number::parse(text).unwrap_or_default();
            let readings = (number.as_integer(), number.as_unsigned(), number.as_float());
            assert_eq!(readings, (integer, unsigned, float), "{text}");
        }
    }
}
