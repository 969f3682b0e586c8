//! Percent escapes, which differ by the part of a URL.

/// Is the part of a URL that is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The path.
    Path,
    /// User or password.
    User,
    /// The host.
    Host,
    /// The zone of an IPv6 address.
    Zone,
    /// What follows `#`.
    Fragment,
}

impl Part {
    /// Says whether a byte stands for itself here.
    fn keeps(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            return true;
        }
        let kept: &[u8] = match self {
            Part::Path => b"$&+,/:;=@",
            Part::User => b"$&+,;=",
            Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
            Part::Fragment => b"$&+,/:;=?@!()*",
        };
        kept.contains(&byte)
    }
}

/// Escapes what does not stand for itself.
pub fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        if part.keeps(*byte) {
            escaped.push(*byte);
        } else {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    escaped
}

/// Reads escapes, refusing what the part cannot hold.
pub fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            if matches!(part, Part::Host | Part::Zone) && first.is_ascii() && !part.keeps(*first) {
                return Err(format!(
                    "invalid character {:?} in host name",
                    char::from(*first).to_string()
                ));
            }
            plain.push(*first);
            rest = after;
            continue;
        }
        let invalid = || {
            format!(
                "invalid URL escape {:?}",
                String::from_utf8_lossy(&rest[..rest.len().min(3)])
            )
        };
        let byte = after.get(..2).and_then(hexadecimal).ok_or_else(invalid)?;
        let refused = match part {
            Part::Host => byte < 0x80 && byte != b'%',
            Part::Zone => byte != b'%' && byte != b' ' && !Part::Host.keeps(byte),
            _ => false,
        };
        if refused {
            return Err(invalid());
        }
        plain.push(byte);
        rest = &after[2..];
    }
    Ok(plain)
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(digits[0])? << 4 | digit(digits[1])?) as u8)
}
