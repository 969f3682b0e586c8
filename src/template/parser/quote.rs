//! String and character constants without their quotes.

const BAD: &str = "invalid syntax";

/// Reads a string constant in double or back quotes.
pub fn unquote(literal: &str) -> Result<Vec<u8>, String> {
    let inner = literal.get(1..literal.len().saturating_sub(1)).ok_or(BAD)?;
    if literal.starts_with('`') {
        return Ok(inner.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unit(rest, '"')?;
        unit.append_to(&mut bytes);
        rest = after;
    }
    Ok(bytes)
}

/// Reads a character constant in single quotes as its code point.
pub fn unquote_character(literal: &str) -> Result<u32, String> {
    let malformed = || format!("malformed character constant: {literal}");
    let inner = literal.get(1..).ok_or_else(malformed)?;
    let (unit, after) = unit(inner, '\'')?;
    if after != "'" {
        return Err(malformed());
    }
    Ok(match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Character(character) => u32::from(character),
    })
}

enum Unit {
    Byte(u8),
    Character(char),
}

impl Unit {
    fn append_to(self, bytes: &mut Vec<u8>) {
        match self {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes())
            }
        }
    }
}

fn unit(text: &str, quote: char) -> Result<(Unit, &str), String> {
    let mut characters = text.chars();
    let first = characters.next().ok_or(BAD)?;
    if first == quote || first == '\n' {
        return Err(BAD.into());
    }
    if first != '\\' {
        return Ok((Unit::Character(first), characters.as_str()));
    }
    let escape = characters.next().ok_or(BAD)?;
    let rest = characters.as_str();
    let plain = |byte: u8| Ok((Unit::Byte(byte), rest));
    match escape {
        'a' => plain(7),
        'b' => plain(8),
        'f' => plain(12),
        'n' => plain(b'\n'),
        'r' => plain(b'\r'),
        't' => plain(b'\t'),
        'v' => plain(11),
        '\\' => plain(b'\\'),
        '\'' | '"' if escape == quote => plain(quote as u8),
        'x' => numeric(rest, 2, 16),
        'u' => numeric(rest, 4, 16),
        'U' => numeric(rest, 8, 16),
        '0'..='7' => numeric(&text[1..], 3, 8),
        _ => Err(BAD.into()),
    }
}

/// Reads an escape's digits: two or three of them are a byte, more a character.
fn numeric(text: &str, length: usize, base: u32) -> Result<(Unit, &str), String> {
    let digits = text
        .get(..length)
        .filter(|digits| digits.bytes().all(|byte| char::from(byte).is_digit(base)));
    let number = digits
        .and_then(|digits| u32::from_str_radix(digits, base).ok())
        .ok_or(BAD)?;
    let unit = match length {
        2 | 3 => Unit::Byte(u8::try_from(number).map_err(|_| BAD)?),
        _ => Unit::Character(char::from_u32(number).ok_or(BAD)?),
    };
    Ok((unit, &text[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_escapes_read_as_go_reads_them() {
        for (literal, expected) in [
            (r#""a\tb""#, Ok(b"a\tb".to_vec())),
            (r#""\xff\101\u00e9""#, Ok(b"\xffA\xc3\xa9".to_vec())),
            (r#""\"'""#, Ok(b"\"'".to_vec())),
            ("`a\\n\r`", Ok(b"a\\n".to_vec())),
            (r#""\'""#, Err(BAD.to_owned())),
            (r#""\x4""#, Err(BAD.to_owned())),
            (r#""\ud800""#, Err(BAD.to_owned())),
            (r#""\400""#, Err(BAD.to_owned())),
        ] {
            assert_eq!(unquote(literal), expected, "{literal}");
        }
    }

    #[test]
    fn a_character_constant_is_its_code_point() {
        assert_eq!(unquote_character("'a'"), Ok(97));
        assert_eq!(unquote_character(r"'\''"), Ok(39));
        assert!(unquote_character("'ab'").is_err());
        assert!(unquote_character("''").is_err());
    }
}
