//! Go's classes and simple case mappings of characters.
use regex::Regex;
use std::sync::OnceLock;

/// Builds a test for a Unicode class; ASCII is decided without the table.
macro_rules! class {
    ($(#[$doc:meta])* $name:ident, $ascii:expr, $pattern:literal) => {
        $(#[$doc])*
        pub fn $name(character: char) -> bool {
            static CLASS: OnceLock<Regex> = OnceLock::new();
            if character.is_ascii() {
                return $ascii(&character);
            }
            let class = CLASS.get_or_init(|| Regex::new($pattern).expect("the pattern is a constant that compiles"));
            class.is_match(character.encode_utf8(&mut [0; 4]))
        }
    };
}

class!(
    /// Says whether a character is a letter.
    is_letter,
    char::is_ascii_alphabetic,
    r"\p{L}"
);
class!(
    /// Says whether a character is a decimal digit.
    is_digit,
    char::is_ascii_digit,
    r"\p{Nd}"
);
class!(
    /// Says whether a character is any kind of number.
    is_number,
    char::is_ascii_digit,
    r"\p{N}"
);
class!(
    /// Says whether a character is an upper case letter.
    is_upper,
    char::is_ascii_uppercase,
    r"\p{Lu}"
);
class!(
    /// Says whether a character is a lower case letter.
    is_lower,
    char::is_ascii_lowercase,
    r"\p{Ll}"
);
class!(
    /// Says whether a character is a title case letter.
    is_title,
    |_: &char| false,
    r"\p{Lt}"
);
class!(
    /// Says whether a character is punctuation; the ASCII symbols `$+<=>^`|~` are not.
    is_punctuation,
    |character: &char| character.is_ascii_punctuation() && !"$+<=>^`|~".contains(*character),
    r"\p{P}"
);
class!(
    /// Says whether a character shows as itself when quoted.
    is_print,
    |character: &char| (' '..='~').contains(character),
    r"[\p{L}\p{M}\p{N}\p{P}\p{S}]"
);

/// Maps a character to the one upper case character it has, if there is just one.
pub fn to_upper(character: char) -> char {
    match u32::from(character) {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => shifted(character, 8),
        0x1fb3 | 0x1fc3 | 0x1ff3 => shifted(character, 9),
        _ => single(character.to_uppercase(), character),
    }
}

/// Maps a character to the one lower case character it has.
pub fn to_lower(character: char) -> char {
    match character {
        '\u{130}' => 'i',
        _ => single(character.to_lowercase(), character),
    }
}

/// Maps a character to its title case, which differs from upper case for digraphs and Georgian.
pub fn to_title(character: char) -> char {
    match u32::from(character) {
        0x1c4..=0x1c6 => '\u{1c5}',
        0x1c7..=0x1c9 => '\u{1c8}',
        0x1ca..=0x1cc => '\u{1cb}',
        0x1f1..=0x1f3 => '\u{1f2}',
        0x10d0..=0x10ff => character,
        _ => to_upper(character),
    }
}

fn shifted(character: char, distance: u32) -> char {
    char::from_u32(u32::from(character) + distance).unwrap_or(character)
}

fn single(mut mapped: impl Iterator<Item = char>, otherwise: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => otherwise,
    }
}
