//! Numbers as Go writes them: bases by prefix, octal by a leading zero, decimal fractions.

use super::Scalar;

/// Reads a text that begins with a digit, a sign or a dot as a number, as yaml.v2 would.
pub(super) fn read(text: &str) -> Option<Scalar<'_>> {
    if text.starts_with('.') {
        return float(text).map(Scalar::Float);
    }
    let digits = text.replace('_', "");
    integer(&digits)
        .or_else(|| float(&digits).map(Scalar::Float))
        .or_else(|| {
            let signed_binary = digits.strip_prefix("0b")?;
            i64::from_str_radix(signed_binary, 2).ok().map(Scalar::Int)
        })
}

/// Reads a whole number with an optional sign; only a number without a sign may use all 64 bits.
fn integer(text: &str) -> Option<Scalar<'static>> {
    if let Some(negative) = text.strip_prefix('-') {
        let value = 0_i64.checked_sub_unsigned(magnitude(negative)?)?;
        return Some(Scalar::Int(value));
    }
    let value = magnitude(text.strip_prefix('+').unwrap_or(text))?;
    match i64::try_from(value) {
        Ok(value) => Some(Scalar::Int(value)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::Unsigned(value)),
    }
}

/// Reads digits in the base that their prefix names.
fn magnitude(text: &str) -> Option<u64> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    // The standard library would take a sign here.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Reads a decimal fraction; one too large for a float is no number.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_is_good = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        is_digits(digits) && !digits.is_empty()
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_is_good =
        is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let value = (exponent_is_good && mantissa_is_good).then(|| text.parse::<f64>().ok());
    value.flatten().filter(|value| value.is_finite())
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_follow_their_prefix() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("00", 0),
            ("010", 8),
            ("+010", 8),
            ("0o17", 15),
            ("0B11", 3),
            ("-0x1f", -31),
            ("1_000", 1000),
            ("0b-1", -1),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(read(text), Some(Scalar::Int(expected)), "{text}");
        }
        assert_eq!(
            read("18446744073709551615"),
            Some(Scalar::Unsigned(u64::MAX))
        );
    }

    #[test]
    fn fractions_are_decimal() {
        for (text, expected) in [
            ("1.", 1.0),
            (".5", 0.5),
            ("-.5e1", -5.0),
            ("09", 9.0),
            ("1e3", 1000.0),
            ("18446744073709551616", 18446744073709551616.0),
            ("+9223372036854775808", 9223372036854775808.0),
        ] {
            assert_eq!(read(text), Some(Scalar::Float(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_neither_stays_text() {
        for text in [
            "0x",
            "1e400",
            "1:30",
            "2001-01-01",
            "1,0",
            ".",
            "-",
            "+",
            ".e1",
            "1e",
            "0x1p-2",
            "--1",
            "+-1",
            "0x+1",
            "1.2.3",
            "._5",
            "-0b+1",
            "0b",
            "1e+",
            "+.inf",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
