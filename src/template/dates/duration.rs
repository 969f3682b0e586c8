//! Lengths of time, and the names of months and days.

const SECOND: i64 = 1_000_000_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Names a month, from 1.
pub fn month_name(month: i64) -> String {
    let name = usize::try_from(month - 1)
        .ok()
        .and_then(|index| MONTHS.get(index));
    name.map_or_else(|| format!("%!Month({month})"), |name| (*name).into())
}

/// Names a day of the week, Sunday being 0.
pub fn weekday_name(day: i64) -> String {
    let name = usize::try_from(day).ok().and_then(|index| DAYS.get(index));
    name.map_or_else(|| format!("%!Weekday({day})"), |name| (*name).into())
}

/// Finds a name, or its first three letters, at the start of a text; answers its index and length.
pub fn find_name(text: &[u8], months: bool, short: bool) -> Option<(usize, usize)> {
    let names: &[&str] = if months { &MONTHS } else { &DAYS };
    names.iter().enumerate().find_map(|(index, name)| {
        let name = if short { &name[..3] } else { name };
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name.as_bytes())
            .then_some((index, name.len()))
    })
}

/// Writes a length of time like `1h2m3.5s`.
pub fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    let second = SECOND.unsigned_abs();
    if total < second {
        let (unit, name) = match total {
            0 => return "0s".into(),
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", decimal(total, unit));
    }
    let (minutes, rest) = (total / (60 * second), total % (60 * second));
    let seconds = decimal(rest, second);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

fn decimal(amount: u64, unit: u64) -> String {
    let fraction = format!("{:0width$}", amount % unit, width = unit.ilog10() as usize);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() || unit == 1 {
        ""
    } else {
        "."
    };
    format!(
        "{}{point}{}",
        amount / unit,
        if unit == 1 { "" } else { fraction }
    )
}

/// Reads a length of time like `-1.5h` or `2h45m` in nanoseconds.
pub fn parse(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0);
    }
    let mut rest = unsigned;
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .filter(|end| *end > 0)?;
        let (digits, after) = rest.split_at(number);
        let unit_end = after
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        total = total.checked_add(scaled(digits, unit_of(unit)?)?)?;
        rest = next;
    }
    let signed = if text.starts_with('-') { -total } else { total };
    i64::try_from(signed).ok().filter(|_| !unsigned.is_empty())
}

fn unit_of(name: &str) -> Option<i64> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    })
}

fn scaled(digits: &str, unit: i64) -> Option<i128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || whole.len() > 19 {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction = &fraction[..fraction.len().min(18)];
    let part: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let part = part * i128::from(unit) / 10i128.pow(fraction.len() as u32);
    whole.checked_mul(i128::from(unit))?.checked_add(part)
}

/// Rounds to whole seconds, halves away from zero.
pub fn round_to_seconds(nanoseconds: i64) -> i64 {
    let rest = nanoseconds % SECOND;
    let whole = nanoseconds - rest;
    if rest.abs() * 2 >= SECOND {
        whole.saturating_add(SECOND * rest.signum())
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_as_it_is_written() {
        for (text, written) in [
            ("1h2m3.5s", "1h2m3.5s"),
            ("-90m", "-1h30m0s"),
            ("1.5h", "1h30m0s"),
            ("1500us", "1.5ms"),
            ("0", "0s"),
            ("+5s", "5s"),
            ("15ns", "15ns"),
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some(written), "{text}");
        }
        for text in ["", "5", "1x", "1.h.", "-", "9999999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
