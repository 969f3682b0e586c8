//! Amounts of memory and of CPUs, as docker writes them.

/// Billionths in a whole.
const NANO: u64 = 1_000_000_000;

/// Reads an amount of memory such as `512m`, `1.5g` or `64MiB`, in bytes; units are powers of 1024.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no amount of memory; write it like 512m or 2g");
    let digits = text
        .rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')
        .ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits + 1);
    let number: f64 = plain_decimal(number.strip_suffix(' ').unwrap_or(number))
        .ok_or_else(wrong)?
        .parse()
        .map_err(|_| wrong())?;
    let unit = unit.to_ascii_lowercase();
    let power = match unit.strip_suffix("ib").or(unit.strip_suffix('b')) {
        Some("") if unit == "b" => 0,
        Some(letter) if !letter.is_empty() => power(letter).ok_or_else(wrong)?,
        Some(_) => return Err(wrong()),
        None if unit.is_empty() => 0,
        None => power(&unit).ok_or_else(wrong)?,
    };
    let bytes = number * 1024_f64.powi(power);
    if bytes >= i64::MAX as f64 {
        return Err(format!("`{text}` is more memory than any engine can count"));
    }
    Ok(bytes as u64)
}

/// Which power of 1024 a letter stands for.
fn power(letter: &str) -> Option<i32> {
    let powers = [("k", 1), ("m", 2), ("g", 3), ("t", 4), ("p", 5)];
    powers.iter().find(|(l, _)| *l == letter).map(|(_, p)| *p)
}

/// Reads a number of CPUs such as `1.5`, in billionths of a CPU.
pub fn parse_cpus(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no number of CPUs; write it like 2 or 0.5");
    let text = plain_decimal(text).ok_or_else(wrong)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 {
        return Err(format!("`{text}` is too precise; nine decimals at most"));
    }
    let whole: u64 = format!("0{whole}").parse().map_err(|_| wrong())?;
    let billionths: u64 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    whole
        .checked_mul(NANO)
        .and_then(|nano| nano.checked_add(billionths))
        .ok_or_else(wrong)
}

/// Lets digits with at most one point pass: no sign, no exponent, no words such as `inf`.
fn plain_decimal(text: &str) -> Option<&str> {
    let points = text.bytes().filter(|b| *b == b'.').count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits > 0 && points <= 1 && digits + points == text.len()).then_some(text)
}
