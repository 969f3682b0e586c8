//! Go's date layouts: the reference time Mon Jan 2 15:04:05 MST 2006 written as wished.

/// Is one element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumericMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    /// An offset: how it is written, and whether UTC is a `Z`.
    Offset {
        hours_only: bool,
        colons: bool,
        seconds: bool,
        zulu: bool,
    },
    /// Fractional seconds with so many digits; trailing zeros dropped unless fixed.
    Fraction {
        digits: usize,
        fixed: bool,
    },
}

/// Lists what is recognised by its text alone, longer texts before those they start with.
const WORDS: &[(&str, Element)] = &[
    ("January", Element::LongMonth),
    ("Monday", Element::LongWeekday),
    ("MST", Element::ZoneName),
    ("002", Element::ZeroYearDay),
    ("01", Element::ZeroMonth),
    ("02", Element::ZeroDay),
    ("03", Element::ZeroHour12),
    ("04", Element::ZeroMinute),
    ("05", Element::ZeroSecond),
    ("06", Element::Year),
    ("15", Element::Hour),
    ("1", Element::NumericMonth),
    ("2006", Element::LongYear),
    ("2", Element::Day),
    ("__2", Element::UnderYearDay),
    ("_2", Element::UnderDay),
    ("3", Element::Hour12),
    ("4", Element::Minute),
    ("5", Element::Second),
    ("PM", Element::UpperHalf),
    ("pm", Element::LowerHalf),
    ("-070000", offset(false, false, true, false)),
    ("-07:00:00", offset(false, true, true, false)),
    ("-0700", offset(false, false, false, false)),
    ("-07:00", offset(false, true, false, false)),
    ("-07", offset(true, false, false, false)),
    ("Z070000", offset(false, false, true, true)),
    ("Z07:00:00", offset(false, true, true, true)),
    ("Z0700", offset(false, false, false, true)),
    ("Z07:00", offset(false, true, false, true)),
    ("Z07", offset(true, false, false, true)),
];

const fn offset(hours_only: bool, colons: bool, seconds: bool, zulu: bool) -> Element {
    Element::Offset {
        hours_only,
        colons,
        seconds,
        zulu,
    }
}

/// Finds the first element of a layout: the text before it, the element, the layout after it.
pub(super) fn next(layout: &[u8]) -> Option<(&[u8], Element, &[u8])> {
    (0..layout.len()).find_map(|start| {
        let (element, length) = element_at(&layout[start..])?;
        // `_2006` is an underscore and a year, not a day padded with a blank.
        let shift =
            usize::from(element == Element::UnderDay && layout[start..].starts_with(b"_2006"));
        let (element, length) = if shift == 1 {
            (Element::LongYear, 5)
        } else {
            (element, length)
        };
        Some((&layout[..start + shift], element, &layout[start + length..]))
    })
}

fn element_at(layout: &[u8]) -> Option<(Element, usize)> {
    if let Some((word, element)) = WORDS
        .iter()
        .find(|(word, _)| layout.starts_with(word.as_bytes()))
    {
        return Some((*element, word.len()));
    }
    for (word, element) in [("Jan", Element::Month), ("Mon", Element::Weekday)] {
        if layout.starts_with(word.as_bytes()) && !layout.get(3).is_some_and(u8::is_ascii_lowercase)
        {
            return Some((element, 3));
        }
    }
    fraction_at(layout)
}

fn fraction_at(layout: &[u8]) -> Option<(Element, usize)> {
    let digit = *layout.get(1)?;
    if !matches!(layout[0], b'.' | b',') || !matches!(digit, b'0' | b'9') {
        return None;
    }
    let digits = layout[1..]
        .iter()
        .take_while(|byte| **byte == digit)
        .count();
    let ends = !layout.get(1 + digits).is_some_and(u8::is_ascii_digit);
    ends.then_some((
        Element::Fraction {
            digits,
            fixed: digit == b'0',
        },
        1 + digits,
    ))
}
