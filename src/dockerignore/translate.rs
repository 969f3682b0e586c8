//! From a pattern to the expression that docker's matcher makes of it.

use std::{iter::Peekable, str::Chars};

/// How a pattern is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The whole path is the pattern's text.
    Exact,
    /// The path begins with the text before the final `**`.
    Prefix,
    /// The path ends with the text after the leading `**`.
    Suffix,
    /// The path matches this expression, in the syntax of Go.
    Expression(String),
}

/// Chooses how a pattern is matched, character by character and in docker's order.
pub fn translate(pattern: &str) -> Kind {
    let mut made = Made {
        text: "^".to_owned(),
        needs: Needs::Text,
    };
    let mut rest = pattern.chars().peekable();
    let mut at_start = true;
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => made.any_folders(&mut rest, at_start),
            '*' => made.wildcard("[^/]*"),
            '?' => made.wildcard("[^/]"),
            '\\' => {
                let escaped: String = rest.next().into_iter().collect();
                made.wildcard(&format!("\\{escaped}"));
            }
            '[' | ']' => made.wildcard(&character.to_string()),
            // Docker means to escape `|`, `{` and `}` as well, and does not.
            '.' | '+' | '(' | ')' | '$' => made.text.extend(['\\', character]),
            other => made.text.push(other),
        }
        at_start = false;
    }
    match made.needs {
        Needs::Text => Kind::Exact,
        Needs::Prefix => Kind::Prefix,
        Needs::Suffix => Kind::Suffix,
        Needs::Expression => Kind::Expression(made.text + "$"),
    }
}

/// What a pattern needs, as far as it is read.
#[derive(PartialEq)]
enum Needs {
    Text,
    Prefix,
    Suffix,
    Expression,
}

struct Made {
    text: String,
    needs: Needs,
}

impl Made {
    fn wildcard(&mut self, text: &str) {
        self.text.push_str(text);
        self.needs = Needs::Expression;
    }

    /// Takes a `**`, which eats a slash after it.
    fn any_folders(&mut self, rest: &mut Peekable<Chars<'_>>, at_start: bool) {
        rest.next_if_eq(&'/');
        match (rest.peek().is_none(), &self.needs) {
            (true, Needs::Text) => self.needs = Needs::Prefix,
            (true, _) => self.wildcard(".*"),
            (false, _) => self.wildcard("(.*/)?"),
        }
        if at_start {
            self.needs = Needs::Suffix;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, translate};

    #[test]
    fn each_pattern_gets_the_cheapest_kind_that_docker_gives_it() {
        let expression = |text: &str| Kind::Expression(text.to_owned());
        let cases = [
            ("a.b", Kind::Exact),
            ("{a,b}", Kind::Exact),
            ("a/**", Kind::Prefix),
            ("**", Kind::Suffix),
            ("**/a", Kind::Suffix),
            ("**/a/**", expression("^(.*/)?a/.*$")),
            ("**/a*", expression("^(.*/)?a[^/]*$")),
            ("a/**/b.c", expression("^a/(.*/)?b\\.c$")),
            ("a?[b]", expression("^a[^/][b]$")),
            ("\\*", expression("^\\*$")),
        ];
        for (pattern, expected) in cases {
            assert_eq!(translate(pattern), expected, "{pattern}");
        }
    }
}
