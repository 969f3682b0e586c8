//! Finds where a `$(…)` or a `${…}` ends.

/// Finds the byte after the `)` that closes a `$(` whose inside starts at `from`.
pub(super) fn parenthesised_end(text: &str, from: usize) -> Option<usize> {
    closing(text.as_bytes(), from, Some(b'('), b')')
}

/// Finds the byte after the `}` that closes a `${` whose inside starts at `from`.
pub(super) fn braced_end(text: &str, from: usize) -> Option<usize> {
    closing(text.as_bytes(), from, None, b'}')
}

/// Walks to the closing byte, over quotes, escapes and (where `open` says so) nested pairs.
fn closing(bytes: &[u8], from: usize, open: Option<u8>, close: u8) -> Option<usize> {
    let mut depth = 1_usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\'' => at = quote_end(bytes, at + 1, b'\'')?,
            b'"' => at = quote_end(bytes, at + 1, b'"')?,
            byte if Some(*byte) == open => depth += 1,
            byte if *byte == close => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Finds the quote that closes the one before `from`; backslashes count inside double quotes only.
fn quote_end(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
