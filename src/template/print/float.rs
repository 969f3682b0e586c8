//! Prints floating point numbers as `strconv.FormatFloat` and `fmt` do.
use super::printer::Printer;
use crate::template::value::Value;

/// Beyond this many decimals a float has only zeros, and the standard library's formatting gives up.
const MOST_DECIMALS: usize = 1100;

/// Power of ten from which the shortest form has an exponent.
const EXPONENT_FROM: i32 = 6;

/// Is how a floating point number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatForm {
    /// With an exponent.
    Exponent,
    /// Without one.
    Fixed,
    /// Whichever is shorter; below the exponent given, `Fixed`.
    General,
}

/// Writes a finite or infinite number; without a precision, with as few digits as tell it apart.
pub fn format_float(number: f64, form: FloatForm, precision: Option<usize>) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number.is_infinite() {
        return format!("{}Inf", if sign.is_empty() { "+" } else { sign });
    }
    let magnitude = number.abs();
    let body = match form {
        FloatForm::Exponent => exponent_form(magnitude, precision),
        FloatForm::Fixed => fixed_form(magnitude, precision),
        FloatForm::General => general_form(magnitude, precision),
    };
    format!("{sign}{body}")
}

fn fixed_form(magnitude: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        return format!("{magnitude}");
    };
    let exact = precision.min(MOST_DECIMALS);
    format!("{magnitude:.exact$}{}", "0".repeat(precision - exact))
}

fn exponent_form(magnitude: f64, precision: Option<usize>) -> String {
    let (mut mantissa, exponent) = scientific(magnitude, precision);
    let wanted = precision.unwrap_or(0).saturating_sub(MOST_DECIMALS);
    mantissa.push_str(&"0".repeat(wanted));
    with_exponent(&mantissa, exponent)
}

fn general_form(magnitude: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let (mantissa, exponent) = scientific(magnitude, precision.map(|precision| precision - 1));
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.truncate(digits.trim_end_matches('0').len().max(1));
    let count = digits.len() as i32;
    let threshold = match precision.map(|precision| precision.min(i32::MAX as usize) as i32) {
        None => EXPONENT_FROM,
        Some(precision) if precision > count && count > exponent => count,
        Some(precision) => precision,
    };
    if exponent < -4 || exponent >= threshold {
        let point = if digits.len() > 1 { "." } else { "" };
        return with_exponent(
            &format!("{}{point}{}", &digits[..1], &digits[1..]),
            exponent,
        );
    }
    place_point(&digits, exponent)
}

/// Splits a number into its digits with a point after the first, and the power of ten.
fn scientific(magnitude: f64, precision: Option<usize>) -> (String, i32) {
    let printed = match precision {
        Some(precision) => format!("{magnitude:.*e}", precision.min(MOST_DECIMALS)),
        None => format!("{magnitude:e}"),
    };
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((&printed, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Writes digits without an exponent: the first of them stands for ten to the power `exponent`.
fn place_point(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!(
            "0.{}{digits}",
            "0".repeat(exponent.unsigned_abs() as usize - 1)
        );
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

impl Printer<'_> {
    pub(super) fn float(&mut self, number: f64, verb: char, value: &Value) -> Result<(), String> {
        let (form, precision) = match verb {
            'v' | 'g' | 'G' => (FloatForm::General, None),
            'e' | 'E' => (FloatForm::Exponent, Some(6)),
            'f' | 'F' => (FloatForm::Fixed, Some(6)),
            'b' | 'x' | 'X' => return self.binary_float(number, verb),
            _ => return self.bad_verb(value, verb),
        };
        let precision = self.flags.precision.or(precision);
        self.reserve(precision.unwrap_or(0))?;
        let mut printed = format_float(number, form, precision);
        if self.flags.sharp && number.is_finite() {
            printed = with_point(
                &printed,
                if form == FloatForm::General {
                    precision.unwrap_or(6)
                } else {
                    0
                },
            );
        }
        if matches!(verb, 'E' | 'G') {
            printed = printed.replace('e', "E");
        }
        self.signed(&printed, number)
    }

    /// Writes a number with the sign that the flags ask for.
    fn signed(&mut self, printed: &str, number: f64) -> Result<(), String> {
        let bare = printed.trim_start_matches(['-', '+']);
        let negative = printed.starts_with('-');
        let sign = match negative {
            true => "-",
            false if self.flags.plus => "+",
            false if self.flags.space => " ",
            false if number.is_infinite() => "+",
            false => "",
        };
        let text = format!("{sign}{bare}");
        if !number.is_finite() {
            return self.pad_with_blanks(text.as_bytes());
        }
        let width = self.flags.width.unwrap_or(0);
        if (self.flags.plus || !matches!(sign, "" | "+"))
            && self.flags.zero
            && !self.flags.minus
            && width > text.len()
        {
            self.write(sign.as_bytes())?;
            self.fill(width - text.len())?;
            return self.write(bare.as_bytes());
        }
        self.pad(text.as_bytes())
    }

    pub(super) fn complex(
        &mut self,
        (real, imaginary): (f64, f64),
        verb: char,
        value: &Value,
    ) -> Result<(), String> {
        if !matches!(
            verb,
            'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E'
        ) {
            return self.bad_verb(value, verb);
        }
        self.write(b"(")?;
        self.float(real, verb, value)?;
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(imaginary, verb, value)?;
        self.flags.plus = plus;
        self.write(b"i)")
    }

    /// Writes the bits: `%b` as a whole mantissa, `%x` with a hexadecimal one; precision is not honoured.
    fn binary_float(&mut self, number: f64, verb: char) -> Result<(), String> {
        if !number.is_finite() {
            return self.signed(&format_float(number, FloatForm::Fixed, None), number);
        }
        let sign = if number.is_sign_negative() { "-" } else { "" };
        let bits = number.to_bits() & (u64::MAX >> 1);
        let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
        let (mantissa, exponent) = if biased == 0 {
            (fraction, -1074)
        } else {
            (fraction | 1 << 52, biased - 1075)
        };
        if verb == 'b' {
            return self.signed(&format!("{sign}{mantissa}p{exponent:+}"), number);
        }
        let shift = mantissa.leading_zeros();
        let aligned = if mantissa == 0 { 0 } else { mantissa << shift };
        let exponent = if mantissa == 0 {
            0
        } else {
            exponent + 63 - shift as i32
        };
        let digits = format!("{:016x}", aligned << 1);
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        let printed = format!(
            "{}{point}{digits}p{exponent_sign}{:02}",
            aligned >> 63,
            exponent.unsigned_abs()
        );
        let printed = format!("{sign}0x{printed}");
        self.signed(
            &if verb == 'X' {
                printed.to_uppercase()
            } else {
                printed
            },
            number,
        )
    }
}

/// Makes sure of a point and, where digits are wanted, of that many significant ones.
fn with_point(printed: &str, digits: usize) -> String {
    let (mantissa, exponent) = printed.split_at(printed.find('e').unwrap_or(printed.len()));
    let bare = mantissa.trim_start_matches('-');
    let significant = bare
        .trim_start_matches(['0', '.'])
        .chars()
        .filter(char::is_ascii_digit)
        .count();
    let significant = if bare == "0" { 1 } else { significant };
    let point = if mantissa.contains('.') { "" } else { "." };
    format!(
        "{mantissa}{point}{}{exponent}",
        "0".repeat(digits.saturating_sub(significant))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (number, form, precision, expected) in [
            (1.5, FloatForm::General, None, "1.5"),
            (1e6, FloatForm::General, None, "1e+06"),
            (123456789.0, FloatForm::General, None, "1.23456789e+08"),
            (100000.0, FloatForm::General, None, "100000"),
            (1e21, FloatForm::General, None, "1e+21"),
            (0.0001, FloatForm::General, None, "0.0001"),
            (0.00001, FloatForm::General, None, "1e-05"),
            (0.0, FloatForm::General, None, "0"),
            (-0.0, FloatForm::General, None, "-0"),
            (1234.5678, FloatForm::General, Some(3), "1.23e+03"),
            (100.0, FloatForm::General, Some(3), "100"),
            (2.5, FloatForm::Fixed, Some(0), "2"),
            (1.0, FloatForm::Exponent, Some(2), "1.00e+00"),
            (f64::NEG_INFINITY, FloatForm::Fixed, Some(2), "-Inf"),
        ] {
            assert_eq!(format_float(number, form, precision), expected);
        }
    }
}
