//! Strings and characters as Go source writes them.
use crate::template::value::classes::is_print;
use crate::template::value::runes;

/// Quotes a string, leaving printable characters as they are.
pub fn quote(text: &[u8]) -> String {
    quoted(text, '"', is_print)
}

/// Quotes a string, escaping everything outside ASCII.
pub fn quote_ascii(text: &[u8]) -> String {
    quoted(text, '"', is_printable_ascii)
}

/// Quotes a character in single quotes.
pub fn quote_character(character: char, ascii: bool) -> String {
    let bytes = character.to_string();
    quoted(
        bytes.as_bytes(),
        '\'',
        if ascii { is_printable_ascii } else { is_print },
    )
}

/// Says whether a string can stand between back quotes.
pub fn can_back_quote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|character| match character {
            '`' | '\u{feff}' | '\u{7f}' => false,
            other => other >= ' ' || other == '\t',
        })
    })
}

fn is_printable_ascii(character: char) -> bool {
    (' '..='~').contains(&character)
}

fn quoted(text: &[u8], mark: char, shows: fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for (offset, character, width) in runes::indexed(text) {
        if width == 1 && character == char::REPLACEMENT_CHARACTER {
            out.push_str(&format!("\\x{:02x}", text[offset]));
        } else if character == mark || character == '\\' {
            out.extend(['\\', character]);
        } else if shows(character) {
            out.push(character);
        } else {
            out.push_str(&escape(character));
        }
    }
    out.push(mark);
    out
}

fn escape(character: char) -> String {
    match character {
        '\u{7}' => "\\a".into(),
        '\u{8}' => "\\b".into(),
        '\u{c}' => "\\f".into(),
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        '\u{b}' => "\\v".into(),
        other => match u32::from(other) {
            code @ (0..0x20 | 0x7f) => format!("\\x{code:02x}"),
            code @ 0x20..0x10000 => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_escapes_what_go_escapes() {
        for (text, plain, ascii) in [
            (&b"a\"b\\"[..], r#""a\"b\\""#, r#""a\"b\\""#),
            (b"\n\t\x00\x7f", r#""\n\t\x00\x7f""#, r#""\n\t\x00\x7f""#),
            ("é☃".as_bytes(), "\"é☃\"", r#""\u00e9\u2603""#),
            (b"\xff", r#""\xff""#, r#""\xff""#),
            (
                "\u{a0}\u{200b}😀".as_bytes(),
                "\"\\u00a0\\u200b😀\"",
                r#""\u00a0\u200b\U0001f600""#,
            ),
        ] {
            assert_eq!(quote(text), plain);
            assert_eq!(quote_ascii(text), ascii);
        }
    }
}
