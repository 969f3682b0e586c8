//! Go's view of a byte string as runes: every invalid byte reads as U+FFFD.

/// Reads the first character and says how many bytes it takes; invalid bytes read as U+FFFD, one at a time.
pub fn first(bytes: &[u8]) -> Option<(char, usize)> {
    let lead = *bytes.first()?;
    if lead < 0x80 {
        return Some((char::from(lead), 1));
    }
    let width = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return Some((char::REPLACEMENT_CHARACTER, 1)),
    };
    let decoded = bytes
        .get(..width)
        .and_then(|slice| std::str::from_utf8(slice).ok())
        .and_then(|text| text.chars().next());
    Some(
        decoded.map_or((char::REPLACEMENT_CHARACTER, 1), |character| {
            (character, width)
        }),
    )
}

/// Walks over the characters with the offset and the width of each.
pub fn indexed(bytes: &[u8]) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let (character, width) = first(&bytes[offset..])?;
        offset += width;
        Some((offset - width, character, width))
    })
}

/// Walks over the characters.
pub fn of(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    indexed(bytes).map(|(_, character, _)| character)
}

/// Counts the characters.
pub fn count(bytes: &[u8]) -> usize {
    of(bytes).count()
}

/// Makes valid text of a byte string, one U+FFFD for each invalid byte.
pub fn to_string(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => of(bytes).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_invalid_byte_is_one_replacement_character() {
        for (bytes, text) in [
            (&b"h\xc3\xa9"[..], "h\u{e9}"),
            (b"\xe2\x98", "\u{fffd}\u{fffd}"),
            (b"\xffa", "\u{fffd}a"),
            (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(to_string(bytes), text);
        }
    }
}
