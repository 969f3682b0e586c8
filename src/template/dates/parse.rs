//! Reads a time by a layout.
use super::layout::{Element, next};
use super::{Moment, Zone, duration};
use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};

/// Reads a time; `None` where text and layout do not agree or no such time exists.
pub fn parse(layout: &[u8], text: &[u8]) -> Option<Moment> {
    let mut reader = Reader {
        text,
        read: Read::default(),
    };
    let mut rest = layout;
    while let Some((before, element, after)) = next(rest) {
        reader.skip(before)?;
        reader.element(element, after)?;
        rest = after;
    }
    reader.skip(rest)?;
    if reader.text.is_empty() {
        reader.read.moment()
    } else {
        None
    }
}

/// Is what has been read so far.
#[derive(Default)]
struct Read {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    afternoon: Option<bool>,
    offset: Option<i32>,
    is_utc: bool,
    zone_name: String,
}

impl Read {
    fn moment(self) -> Option<Moment> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = self.date()?;
        let naive = date.and_time(NaiveTime::from_hms_nano_opt(
            hour,
            self.minute,
            self.second,
            self.nanosecond,
        )?);
        if self.is_utc || self.offset.is_none() && self.zone_name.is_empty() {
            return Some(Moment::utc(Utc.from_utc_datetime(&naive)));
        }
        let hours_in_name = self
            .zone_name
            .strip_prefix("GMT")
            .and_then(|hours| hours.parse::<i32>().ok());
        let fallback = hours_in_name.map_or(0, |hours| hours.saturating_mul(3600));
        let seconds = self.offset.unwrap_or(fallback);
        let instant = FixedOffset::east_opt(seconds)?
            .from_local_datetime(&naive)
            .single()?
            .with_timezone(&Utc);
        let is_local = seconds == 0 && matches!(self.zone_name.as_str(), "" | "UTC");
        Some(Moment {
            instant,
            zone: if is_local {
                Zone::Utc
            } else {
                Zone::Fixed(seconds, self.zone_name)
            },
        })
    }

    fn date(&self) -> Option<NaiveDate> {
        let Some(year_day) = self.year_day else {
            return NaiveDate::from_ymd_opt(
                self.year,
                self.month.unwrap_or(1),
                self.day.unwrap_or(1),
            );
        };
        let date = NaiveDate::from_yo_opt(self.year, year_day)?;
        let agrees = |read: Option<u32>, counted: u32| read.is_none_or(|read| read == counted);
        use chrono::Datelike;
        (agrees(self.month, date.month()) && agrees(self.day, date.day())).then_some(date)
    }
}

struct Reader<'t> {
    text: &'t [u8],
    read: Read,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.text.split_at_checked(count)?;
        self.text = rest;
        Some(taken)
    }

    /// Skips the literal part of a layout; blanks match any number of blanks.
    fn skip(&mut self, mut literal: &[u8]) -> Option<()> {
        while let Some(first) = literal.first() {
            if *first == b' ' {
                if self.text.first().is_some_and(|byte| *byte != b' ') {
                    return None;
                }
                literal = trim_blanks(literal);
                self.text = trim_blanks(self.text);
                continue;
            }
            if self.text.first() != Some(first) {
                return None;
            }
            literal = &literal[1..];
            self.text = &self.text[1..];
        }
        Some(())
    }

    /// Reads one or two digits, or exactly two.
    fn number(&mut self, two: bool) -> Option<u32> {
        let first = self.text.first().filter(|byte| byte.is_ascii_digit())?;
        let second = self.text.get(1).is_some_and(u8::is_ascii_digit);
        if !second {
            let number = u32::from(first - b'0');
            self.take(1)?;
            return (!two).then_some(number);
        }
        self.digits(2)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let taken = self.take(count)?;
        let plain = taken.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(taken)
            .ok()
            .filter(|_| plain)?
            .parse()
            .ok()
    }

    fn name(&mut self, months: bool, short: bool) -> Option<u32> {
        let (index, length) = duration::find_name(self.text, months, short)?;
        self.take(length)?;
        Some(index as u32)
    }

    fn element(&mut self, element: Element, after: &[u8]) -> Option<()> {
        match element {
            Element::Year => {
                let year = self.digits(2)? as i32;
                self.read.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Element::LongYear => self.read.year = self.digits(4)? as i32,
            Element::Month => self.read.month = Some(self.name(true, true)? + 1),
            Element::LongMonth => self.read.month = Some(self.name(true, false)? + 1),
            Element::NumericMonth => self.read.month = Some(self.number(false)?),
            Element::ZeroMonth => self.read.month = Some(self.number(true)?),
            Element::Weekday => drop(self.name(false, true)?),
            Element::LongWeekday => drop(self.name(false, false)?),
            Element::Day => self.read.day = Some(self.number(false)?),
            Element::UnderDay => {
                self.text = self.text.strip_prefix(b" ").unwrap_or(self.text);
                self.read.day = Some(self.number(false)?);
            }
            Element::ZeroDay => self.read.day = Some(self.number(true)?),
            Element::UnderYearDay | Element::ZeroYearDay => {
                self.year_day(element == Element::UnderYearDay)?
            }
            Element::Hour => self.read.hour = self.number(false).filter(|hour| *hour < 24)?,
            Element::Hour12 => self.read.hour = self.number(false).filter(|hour| *hour <= 12)?,
            Element::ZeroHour12 => self.read.hour = self.number(true).filter(|hour| *hour <= 12)?,
            Element::Minute => self.read.minute = self.number(false)?,
            Element::ZeroMinute => self.read.minute = self.number(true)?,
            Element::Second | Element::ZeroSecond => {
                self.second(element == Element::ZeroSecond, after)?
            }
            Element::UpperHalf => self.half(b"AM", b"PM")?,
            Element::LowerHalf => self.half(b"am", b"pm")?,
            Element::ZoneName => self.zone_name()?,
            Element::Offset {
                hours_only,
                colons,
                seconds,
                zulu,
            } => self.offset(hours_only, colons, seconds, zulu)?,
            Element::Fraction {
                digits,
                fixed: true,
            } => {
                let length = digits + 1;
                self.fraction(length)?;
            }
            Element::Fraction { .. } => self.optional_fraction()?,
        }
        Some(())
    }

    fn year_day(&mut self, padded: bool) -> Option<()> {
        let blanks = if padded {
            self.text
                .iter()
                .take(2)
                .take_while(|byte| **byte == b' ')
                .count()
        } else {
            0
        };
        self.take(blanks)?;
        self.read.year_day = Some(self.digits(3 - blanks)?);
        Some(())
    }

    /// Reads seconds, and a fraction after them even if the layout has none.
    fn second(&mut self, two: bool, after: &[u8]) -> Option<()> {
        self.read.second = self.number(two)?;
        let fraction_follows = matches!(next(after), Some((_, Element::Fraction { .. }, _)));
        if fraction_follows {
            Some(())
        } else {
            self.optional_fraction()
        }
    }

    fn optional_fraction(&mut self) -> Option<()> {
        let digits = self
            .text
            .iter()
            .skip(1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let has_mark = matches!(self.text.first(), Some(b'.' | b','));
        if has_mark && digits > 0 {
            self.fraction(digits + 1)
        } else {
            Some(())
        }
    }

    fn fraction(&mut self, length: usize) -> Option<()> {
        let taken = self.take(length)?;
        let digits = &taken[1..];
        if !matches!(taken[0], b'.' | b',') || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let padded = digits
            .iter()
            .copied()
            .chain(std::iter::repeat(b'0'))
            .take(9);
        self.read.nanosecond =
            padded.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        Some(())
    }

    fn half(&mut self, before: &[u8], after: &[u8]) -> Option<()> {
        let taken = self.take(2)?;
        let afternoon = if taken == after {
            true
        } else if taken == before {
            false
        } else {
            return None;
        };
        self.read.afternoon = Some(afternoon);
        Some(())
    }

    fn offset(&mut self, hours_only: bool, colons: bool, seconds: bool, zulu: bool) -> Option<()> {
        if zulu && self.text.starts_with(b"Z") {
            self.take(1)?;
            self.read.is_utc = true;
            return Some(());
        }
        let sign = match self.take(1)? {
            b"+" => 1,
            b"-" => -1,
            _ => return None,
        };
        let mut total = self.digits(2).filter(|hours| *hours <= 24)? as i32 * 3600;
        for unit in [60, 1].into_iter().take(if hours_only {
            0
        } else {
            1 + usize::from(seconds)
        }) {
            if colons && self.take(1)? != b":" {
                return None;
            }
            total += self.digits(2).filter(|number| *number <= 60)? as i32 * unit;
        }
        self.read.offset = Some(sign * total);
        Some(())
    }

    /// Reads a zone abbreviation: three to five capitals, or an offset in their place.
    fn zone_name(&mut self) -> Option<()> {
        if self.text.starts_with(b"UTC") {
            self.take(3)?;
            self.read.is_utc = true;
            return Some(());
        }
        let length = name_length(self.text)?;
        self.read.zone_name = String::from_utf8_lossy(self.take(length)?).into_owned();
        Some(())
    }
}

fn name_length(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if text.starts_with(b"GMT") {
        return Some(3 + signed_length(&text[3..]));
    }
    if matches!(text.first(), Some(b'+' | b'-')) {
        return Some(signed_length(text)).filter(|length| *length > 0);
    }
    match text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count()
    {
        3 => Some(3),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        5 if text[4] == b'T' => Some(5),
        _ => None,
    }
}

/// Measures a sign and the hours after it, if they are hours.
fn signed_length(text: &[u8]) -> usize {
    let digits = text
        .iter()
        .skip(1)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let hours = std::str::from_utf8(&text[text.len().min(1)..text.len().min(1 + digits)]).ok();
    let within = hours
        .and_then(|hours| hours.parse::<u32>().ok())
        .is_some_and(|hours| hours < 24);
    if matches!(text.first(), Some(b'+' | b'-')) && within {
        1 + digits
    } else {
        0
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    &text[blanks..]
}
