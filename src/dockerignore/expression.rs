//! Regular expressions as Go reads them, where that differs from ours.
//!
//! Docker hands pieces of a pattern to Go's regular expressions unchanged: classes, braces, bars, backslashes. They
//! are read here by Go's rules and written anew. Three escapes that nobody means in a path are refused where Go
//! takes them: `\Q…\E`, `\p…` and characters by number.

use regex::Regex;

use super::Fault;

const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The highest count that Go allows in braces.
const MOST_REPETITIONS: u32 = 1000;

/// Compiles an expression made by `translate`.
pub fn compile(expression: &str) -> Result<Regex, Fault> {
    let mut reader = Reader {
        rest: expression,
        made: String::new(),
        after_repeat: false,
    };
    while !reader.rest.is_empty() {
        reader.read_piece()?;
    }
    Regex::new(&reader.made).map_err(|_| Fault::BadExpression("not a regular expression"))
}

struct Reader<'a> {
    rest: &'a str,
    made: String,
    after_repeat: bool,
}

impl Reader<'_> {
    fn read_piece(&mut self) -> Result<(), Fault> {
        let Some(character) = self.next() else {
            return Ok(());
        };
        let after_repeat = std::mem::take(&mut self.after_repeat);
        match character {
            '[' => self.read_class()?,
            '\\' => self.read_escape()?,
            '{' => return self.read_braces(after_repeat),
            '*' | '?' => {
                self.made.push(character);
                self.after_repeat = true;
            }
            '^' | '$' | '.' | '(' | ')' | '|' => self.made.push(character),
            other => self.push_literal(other),
        }
        Ok(())
    }

    /// Reads `{2}`, `{2,}` or `{2,3}`; any other brace stands for itself.
    fn read_braces(&mut self, after_repeat: bool) -> Result<(), Fault> {
        let Some((inside, rest)) = self.rest.split_once('}') else {
            self.push_literal('{');
            return Ok(());
        };
        let Some((least, most)) = repetition(inside) else {
            self.push_literal('{');
            return Ok(());
        };
        let within = |count: &str| count.parse().is_ok_and(|n: u32| n <= MOST_REPETITIONS);
        if after_repeat || !within(least) || !(most.is_empty() || within(most)) {
            return Err(Fault::BadExpression("a `{n}` that cannot be repeated"));
        }
        self.made.push_str(&format!("{{{inside}}}"));
        self.rest = rest;
        self.after_repeat = true;
        Ok(())
    }

    fn read_escape(&mut self) -> Result<(), Fault> {
        let boundary = match self.rest.chars().next() {
            Some('b') => "(?-u:\\b)",
            Some('B') => "(?-u:\\B)",
            Some('A') => "\\A",
            Some('z') => "\\z",
            _ => {
                let piece = self.escaped()?;
                self.made.push_str(&piece);
                return Ok(());
            }
        };
        self.next();
        self.made.push_str(boundary);
        Ok(())
    }

    /// Reads a class up to its end, `[` already read.
    fn read_class(&mut self) -> Result<(), Fault> {
        self.made.push('[');
        if self.eat("^") {
            self.made.push('^');
        }
        // A `]` that comes first stands for itself.
        self.read_member()?;
        while !self.eat("]") {
            self.read_member()?;
        }
        self.made.push(']');
        Ok(())
    }

    fn read_member(&mut self) -> Result<(), Fault> {
        if let Some(name) = self.posix_class()? {
            self.made.push_str(&name);
            return Ok(());
        }
        let low = self.class_piece()?;
        let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
        if !is_range || low.starts_with('[') {
            self.made.push_str(&low);
            return Ok(());
        }
        self.next();
        let high = self.class_piece()?;
        if high.starts_with('[') {
            return Err(Fault::BrokenClass);
        }
        self.made.push_str(&format!("{low}-{high}"));
        Ok(())
    }

    /// Reads one character of a class, or one of the escapes that are classes themselves.
    fn class_piece(&mut self) -> Result<String, Fault> {
        match self.next() {
            Some('\\') => self.escaped(),
            Some(character) => Ok(literal(character)),
            None => Err(Fault::BrokenClass),
        }
    }

    /// Reads `[:name:]`, if that is what stands here.
    fn posix_class(&mut self) -> Result<Option<String>, Fault> {
        let Some((name, rest)) = self
            .rest
            .strip_prefix("[:")
            .and_then(|r| r.split_once(":]"))
        else {
            return Ok(None);
        };
        if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(Fault::BrokenClass);
        }
        let made = format!("[:{name}:]");
        self.rest = rest;
        Ok(Some(made))
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self) -> Result<String, Fault> {
        let character = self.next().ok_or(Fault::TrailingBackslash)?;
        Ok(match character {
            'd' => "[0-9]".to_owned(),
            'D' => "[^0-9]".to_owned(),
            's' => "[\\t\\n\\f\\r ]".to_owned(),
            'S' => "[^\\t\\n\\f\\r ]".to_owned(),
            'w' => "[0-9A-Za-z_]".to_owned(),
            'W' => "[^0-9A-Za-z_]".to_owned(),
            'a' => literal('\x07'),
            'f' => literal('\x0c'),
            'n' => literal('\n'),
            'r' => literal('\r'),
            't' => literal('\t'),
            'v' => literal('\x0b'),
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => literal(other),
            _ => {
                return Err(Fault::BadExpression(
                    "a backslash before a letter or digit that it gives no meaning",
                ));
            }
        })
    }

    fn push_literal(&mut self, character: char) {
        self.made.push_str(&literal(character));
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// Writes a character by number, which means itself in and out of a class.
fn literal(character: char) -> String {
    format!("\\x{{{:X}}}", u32::from(character))
}

/// Splits the inside of braces into its counts, if Go takes it for a repetition.
fn repetition(inside: &str) -> Option<(&str, &str)> {
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let is_count = |text: &str| {
        text.bytes().all(|b| b.is_ascii_digit()) && (text.len() < 2 || !text.starts_with('0'))
    };
    (!least.is_empty() && is_count(least) && is_count(most)).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn forms_are_read_as_go_reads_them() {
        let cases = [
            ("^[]a]$", "]", true),
            ("^[a-c]$", "b", true),
            ("^[a-]$", "-", true),
            ("^[\\d-]$", "-", true),
            ("^[^\\w]$", "-", true),
            ("^[[:^alpha:]]$", "1", true),
            ("^[[a]$", "[", true),
            ("^[a~~b]$", "~", true),
            ("^x{2}$", "xx", true),
            ("^x{02}$", "x{02}", true),
            ("^x{,2}$", "x{,2}", true),
            ("^{a,b}]$", "{a,b}]", true),
            ("^\\<a#&-\\>$", "<a#&->", true),
            ("^a\\B$", "a", false),
            ("^a\\b$", "a", true),
            ("^a\\tb$", "a\tb", true),
        ];
        for (expression, path, expected) in cases {
            let compiled = compile(expression).unwrap();
            assert_eq!(compiled.is_match(path), expected, "{expression} {path}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for expression in [
            "^[c-a]$",
            "^[[:foo:]]$",
            "^a\\y$",
            "^x*{2}$",
            "^x{1001}$",
            "^x{3,2}$",
            "^[a",
            "^|{2}$",
        ] {
            assert!(compile(expression).is_err(), "{expression}");
        }
    }
}
