//! Translates Go's regular expressions to those of the crate that runs them: nearly the same language.
use std::iter::Peekable;
use std::str::Chars;

/// Largest count a repetition may have, in Go as here.
const MOST_REPEATED: u32 = 1000;

/// Translates a pattern, refusing what Go refuses where the two differ.
pub fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::new(),
        last: Last::Nothing,
    };
    while let Some(character) = translator.rest.next() {
        translator.unit(character)?;
    }
    Ok(translator.out)
}

/// Is what stands before the current place, which decides what a repetition means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Item,
    Repetition,
    Lazy,
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    last: Last,
}

impl Translator<'_> {
    fn unit(&mut self, character: char) -> Result<(), String> {
        match character {
            '\\' => return self.escape(),
            '[' => self.class()?,
            '*' | '+' => self.repeat(&character.to_string())?,
            '?' if self.last == Last::Repetition => {
                self.out.push('?');
                self.last = Last::Lazy;
                return Ok(());
            }
            '?' => self.repeat("?")?,
            '{' => return self.braces(),
            '(' => return self.group(),
            '|' => {
                self.out.push('|');
                self.last = Last::Nothing;
                return Ok(());
            }
            ']' | '}' => self.literal(character),
            other => self.out.push(other),
        }
        if !matches!(character, '*' | '+' | '?') {
            self.last = Last::Item;
        }
        Ok(())
    }

    fn repeat(&mut self, operator: &str) -> Result<(), String> {
        match self.last {
            Last::Nothing => Err(format!(
                "missing argument to repetition operator: `{operator}`"
            )),
            Last::Repetition | Last::Lazy => {
                Err(format!("invalid nested repetition operator: `{operator}`"))
            }
            Last::Item => {
                self.out.push_str(operator);
                self.last = Last::Repetition;
                Ok(())
            }
        }
    }

    /// Translates a counted repetition; braces that hold no count are literal in Go.
    fn braces(&mut self) -> Result<(), String> {
        let inside: String = self
            .rest
            .clone()
            .take_while(|character| *character != '}')
            .collect();
        let closes = self.rest.clone().any(|character| character == '}');
        let counts: Vec<&str> = inside.split(',').collect();
        let is_number =
            |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |text: &&str| text.len() == 1 || !text.starts_with('0');
        let well_formed = match counts.as_slice() {
            [only] => is_number(only) && plain(only),
            [least, most] => {
                is_number(least)
                    && plain(least)
                    && (most.is_empty() || is_number(most) && plain(most))
            }
            _ => false,
        };
        if !closes || !well_formed {
            self.literal('{');
            self.last = Last::Item;
            return Ok(());
        }
        let within = |text: &&str| {
            text.is_empty()
                || text
                    .parse::<u32>()
                    .is_ok_and(|count| count <= MOST_REPEATED)
        };
        if !counts.iter().all(within) {
            return Err(format!("invalid repeat count: `{{{inside}}}`"));
        }
        for _ in 0..=inside.chars().count() {
            self.rest.next();
        }
        self.repeat(&format!("{{{inside}}}"))
    }

    /// Translates the start of a group; Go knows no `x`, `u` or `R` flags and no look-around.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        self.last = Last::Nothing;
        if self.rest.peek() != Some(&'?') {
            return Ok(());
        }
        let head: String = self
            .rest
            .clone()
            .take_while(|character| !matches!(character, ')' | ':'))
            .collect();
        let is_name = head.starts_with("?P<")
            || head.starts_with("?<") && !head.starts_with("?<=") && !head.starts_with("?<!");
        if !is_name && !head[1..].chars().all(|flag| "imsU-".contains(flag)) {
            return Err(format!(
                "invalid or unsupported Perl syntax: `({}`",
                head.chars().take(2).collect::<String>()
            ));
        }
        for character in self.rest.by_ref().take(
            head.chars()
                .take_while(|character| !is_name || *character != '>')
                .count(),
        ) {
            self.out.push(character);
        }
        Ok(())
    }

    fn literal(&mut self, character: char) {
        self.out.push_str(&regex::escape(&character.to_string()));
    }

    fn escape(&mut self) -> Result<(), String> {
        let escaped = self
            .rest
            .next()
            .ok_or("trailing backslash at end of expression: ``")?;
        self.last = Last::Item;
        match escaped {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => self.out.push_str(perl_class(escaped)),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            'A' | 'z' => self.out.extend(['\\', escaped]),
            'C' => self.out.push_str(r"(?s-u:.)"),
            'Q' => self.quoted(),
            'p' | 'P' => self.unicode(escaped)?,
            other => {
                let character = self.character(other)?;
                self.literal(character);
            }
        }
        Ok(())
    }

    /// Takes everything up to `\E` literally.
    fn quoted(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                return;
            }
            self.literal(character);
        }
    }

    /// Copies the name of a Unicode class.
    fn unicode(&mut self, escaped: char) -> Result<(), String> {
        self.out.extend(['\\', escaped]);
        let first = self
            .rest
            .next()
            .ok_or("invalid character class range: `\\p`")?;
        self.out.push(first);
        if first == '{' {
            for character in self.rest.by_ref() {
                self.out.push(character);
                if character == '}' {
                    return Ok(());
                }
            }
            return Err("invalid character class range: `\\p{`".into());
        }
        Ok(())
    }

    /// Reads an escape that stands for one character.
    fn character(&mut self, escaped: char) -> Result<char, String> {
        let invalid = || format!("invalid escape sequence: `\\{escaped}`");
        match escaped {
            'a' => Ok('\u{7}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\u{b}'),
            'x' => self.hexadecimal().ok_or_else(invalid),
            '0'..='7' => self.octal(escaped).ok_or_else(invalid),
            mark if mark.is_ascii() && !mark.is_ascii_alphanumeric() => Ok(mark),
            _ => Err(invalid()),
        }
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let mut digits = String::new();
        if self.rest.next_if_eq(&'{').is_some() {
            digits.extend(self.rest.by_ref().take_while(|character| *character != '}'));
        } else {
            digits.extend(self.rest.by_ref().take(2));
        }
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| plain)
            .and_then(char::from_u32)
    }

    /// Reads an octal escape; a single digit other than 0 would be a back reference, which Go has not.
    fn octal(&mut self, first: char) -> Option<char> {
        let is_octal = |character: &char| ('0'..='7').contains(character);
        if first != '0' && !self.rest.peek().is_some_and(is_octal) {
            return None;
        }
        let mut code = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.rest.next_if(is_octal) else {
                break;
            };
            code = code * 8 + digit.to_digit(8)?;
        }
        char::from_u32(code)
    }

    /// Translates a bracketed class, in which Go has no set operations and no nesting.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let character = self.rest.next().ok_or("missing closing ]")?;
            match character {
                ']' if !first => break,
                '[' if self.rest.peek() == Some(&':') && self.named_class() => {}
                '\\' => self.class_escape()?,
                '-' if !first && self.rest.peek() != Some(&']') => self.out.push('-'),
                other => self.literal(other),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// Copies a class like `[:alpha:]`, if it is one.
    fn named_class(&mut self) -> bool {
        let name: String = self
            .rest
            .clone()
            .take_while(|character| *character != ']')
            .collect();
        let is_named = name.len() > 2 && name.starts_with(':') && name.ends_with(':');
        if is_named {
            self.out.push('[');
            for character in self.rest.by_ref().take(name.chars().count() + 1) {
                self.out.push(character);
            }
        } else {
            self.literal('[');
        }
        true
    }

    fn class_escape(&mut self) -> Result<(), String> {
        let escaped = self.rest.next().ok_or("missing closing ]")?;
        match escaped {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => self.out.push_str(perl_class(escaped)),
            'p' | 'P' => self.unicode(escaped)?,
            other => {
                let character = self.character(other)?;
                self.literal(character);
            }
        }
        Ok(())
    }
}

/// Spells out a Perl class in ASCII, which is all Go means by it.
fn perl_class(letter: char) -> &'static str {
    match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r ]",
        'S' => r"[^\t\n\x0C\r ]",
        'w' => "[0-9A-Za-z_]",
        _ => "[^0-9A-Za-z_]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_writes_differently_is_translated() {
        for (go, here) in [
            (r"\d+", "[0-9]+"),
            (r"[\w.-]", r"[[0-9A-Za-z_]\.\-]"),
            (r"\Qa.b\E*", r"a\.b*"),
            ("a{,2}", r"a\{,2\}"),
            ("a{2,}", "a{2,}"),
            ("[a[b]", r"[a\[b]"),
            ("[a&&b]", r"[a\&\&b]"),
            (r"\bx\b", r"(?-u:\b)x(?-u:\b)"),
            ("(?P<n>a)(?i:b)", "(?P<n>a)(?i:b)"),
            (r"\x{41}\101", "AA"),
        ] {
            assert_eq!(translate(go).as_deref(), Ok(here), "{go}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in [
            "a**", "*", "a{1001}", "(?x)a", "(?=a)", r"\1", r"\e", "[a", r"\", "a|*", r"\Z",
            r"\pN{",
        ] {
            let refused = translate(pattern)
                .map_err(drop)
                .and_then(|here| regex::Regex::new(&here).map_err(drop));
            assert!(pattern == r"\pN{" || refused.is_err(), "{pattern}");
        }
    }
}
