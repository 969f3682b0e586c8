//! Whether a pattern is well formed, by the rules of Go's `filepath.Match`.

use std::{iter::Peekable, str::Chars};

use super::Fault;

/// Refuses unclosed or empty classes and a backslash at the end.
pub fn check(pattern: &str) -> Result<(), Fault> {
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '[' => check_class(&mut rest)?,
            '\\' if rest.next().is_none() => return Err(Fault::TrailingBackslash),
            _ => {}
        }
    }
    Ok(())
}

/// Reads a class up to its `]`: at least one character or range.
fn check_class(rest: &mut Peekable<Chars<'_>>) -> Result<(), Fault> {
    rest.next_if_eq(&'^');
    check_member(rest)?;
    while rest.next_if_eq(&']').is_none() {
        check_member(rest)?;
    }
    Ok(())
}

fn check_member(rest: &mut Peekable<Chars<'_>>) -> Result<(), Fault> {
    check_character(rest)?;
    match rest.next_if_eq(&'-') {
        Some(_) => check_character(rest),
        None => Ok(()),
    }
}

/// Reads one character of a class, which never is the pattern's last.
fn check_character(rest: &mut Peekable<Chars<'_>>) -> Result<(), Fault> {
    let character = match rest.next() {
        Some('\\') => rest.next(),
        Some('-' | ']') => None,
        other => other,
    };
    match (character, rest.peek()) {
        (Some(_), Some(_)) => Ok(()),
        _ => Err(Fault::BrokenClass),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, check};

    #[test]
    fn well_formed_patterns_pass() {
        for pattern in [
            "a", "[a]", "[^a]", "[!a]", "[a-z0-9]", "a]", "[[a]", "[\\]]", "[a\\-z]", "{", "\\[",
            "[a*b]", "[a/b]",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in [
            "[", "a[", "[]", "[]a]", "[^]", "[^]a]", "[a", "[a-", "[a-]", "[-a]", "[\\", "[\\]",
            "x*[y",
        ] {
            assert_eq!(check(pattern), Err(Fault::BrokenClass), "{pattern}");
        }
        assert_eq!(check("a\\"), Err(Fault::TrailingBackslash));
    }
}
