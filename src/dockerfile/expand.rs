//! Fills variables into a word by the rules of a Dockerfile, which are those of a small shell.

use std::{iter::Peekable, str::Chars};

use super::pattern;

/// Defaults inside defaults go no deeper.
const DEEPEST: usize = 50;
/// No word gets longer, in bytes: a few lines of `ARG` can double a value a thousand times.
const LONGEST: usize = 4096;

/// A word with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Expanded {
    /// The word, quotes and escapes taken off.
    pub text: String,
    /// The variables that have no value and no default.
    pub unset: Vec<String>,
}

/// Expands a word; `value` tells what a variable holds. An error says what is wrong with the word.
pub(super) fn expand<'v>(
    word: &str,
    escape: char,
    value: &dyn Fn(&str) -> Option<&'v str>,
) -> Result<Expanded, String> {
    let mut reader = Reader {
        letters: word.chars().peekable(),
        escape,
        value,
        unset: Vec::new(),
        depth: 0,
    };
    let text = reader.word(None)?;
    Ok(Expanded {
        text,
        unset: reader.unset,
    })
}

struct Reader<'w, 'f, 'v> {
    letters: Peekable<Chars<'w>>,
    escape: char,
    value: &'f dyn Fn(&str) -> Option<&'v str>,
    unset: Vec<String>,
    depth: usize,
}

impl Reader<'_, '_, '_> {
    /// Reads up to the letter that ends the word, which is taken too, or to the end of all.
    fn word(&mut self, end: Option<char>) -> Result<String, String> {
        let mut text = String::new();
        while let Some(letter) = self.letters.next() {
            match letter {
                _ if Some(letter) == end => return Ok(text),
                '\'' => text.push_str(&self.single_quoted()?),
                '"' => text.push_str(&self.double_quoted()?),
                '$' => text.push_str(&self.variable()?),
                _ if letter == self.escape => text.push(self.letters.next().unwrap_or(letter)),
                _ => text.push(letter),
            }
            if text.len() > LONGEST {
                return Err(format!("it becomes longer than {LONGEST} characters"));
            }
        }
        match end {
            Some(end) => Err(format!("a `{end}` is missing")),
            None => Ok(text),
        }
    }

    fn single_quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        for letter in self.letters.by_ref() {
            if letter == '\'' {
                return Ok(text);
            }
            text.push(letter);
        }
        Err("a `'` is missing".to_owned())
    }

    fn double_quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        while let Some(letter) = self.letters.next() {
            match letter {
                '"' => return Ok(text),
                '$' => text.push_str(&self.variable()?),
                _ if letter == self.escape => {
                    let special = ['"', '$', self.escape];
                    match self.letters.next_if(|next| special.contains(next)) {
                        Some(next) => text.push(next),
                        None => text.push(letter),
                    }
                }
                _ => text.push(letter),
            }
        }
        Err("a `\"` is missing".to_owned())
    }

    /// Reads what follows a `$`.
    fn variable(&mut self) -> Result<String, String> {
        if self.letters.next_if_eq(&'{').is_some() {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("its defaults are nested too deeply".to_owned());
            }
            let text = self.braced();
            self.depth -= 1;
            return text;
        }
        let name = self.name();
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        Ok(self.plain(&name))
    }

    fn braced(&mut self) -> Result<String, String> {
        let name = self.name();
        if name.is_empty() {
            return Err("`${` needs the name of a variable".to_owned());
        }
        let Some(operator) = self.letters.next() else {
            return Err("a `}` is missing".to_owned());
        };
        match operator {
            '}' => Ok(self.plain(&name)),
            ':' => match self.letters.next() {
                Some(operator @ ('-' | '+' | '?')) => self.conditional(&name, operator, true),
                _ => Err(unsupported(&name, ":")),
            },
            '-' | '+' | '?' => self.conditional(&name, operator, false),
            '#' | '%' => self.trimmed(&name, operator),
            '/' => self.replaced(&name),
            _ => Err(unsupported(&name, &operator.to_string())),
        }
    }

    /// `-` gives a default, `+` another value where there is one, `?` an error; after `:` an empty value is none.
    fn conditional(
        &mut self,
        name: &str,
        operator: char,
        empty_is_none: bool,
    ) -> Result<String, String> {
        let unset_before = self.unset.len();
        let word = self.word(Some('}'))?;
        let value = (self.value)(name).filter(|value| !(empty_is_none && value.is_empty()));
        let uses_word = matches!((operator, value), ('-', None) | ('+', Some(_)));
        if !uses_word {
            self.unset.truncate(unset_before);
        }
        match (operator, value) {
            ('?', None) => Err(format!("{name}: {word}")),
            ('-' | '?', Some(value)) => Ok(value.to_owned()),
            _ if uses_word => Ok(word),
            _ => Ok(String::new()),
        }
    }

    /// `#` and `%` cut a pattern off the begin or end; doubled, as much as possible.
    fn trimmed(&mut self, name: &str, operator: char) -> Result<String, String> {
        let is_greedy = self.letters.next_if_eq(&operator).is_some();
        let pattern = self.word(Some('}'))?;
        let value = self.plain(name);
        let cut = if operator == '#' {
            pattern::without_prefix(&value, &pattern, is_greedy)
        } else {
            pattern::without_suffix(&value, &pattern, is_greedy)
        };
        cut.ok_or_else(|| format!("`{pattern}` is no pattern"))
    }

    /// `/pattern/text` replaces the first match, `//pattern/text` each.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let everywhere = self.letters.next_if_eq(&'/').is_some();
        let pattern = self.word(Some('/'))?;
        let text = self.word(Some('}'))?;
        let value = self.plain(name);
        pattern::replaced(&value, &pattern, &text, everywhere)
            .ok_or_else(|| format!("`{pattern}` is no pattern"))
    }

    fn plain(&mut self, name: &str) -> String {
        match (self.value)(name) {
            Some(value) => value.to_owned(),
            None => {
                self.unset.push(name.to_owned());
                String::new()
            }
        }
    }

    /// Reads a name: letters, digits and `_`, or digits alone, or one special sign.
    fn name(&mut self) -> String {
        let mut name = String::new();
        let Some(first) = self.letters.peek().copied() else {
            return name;
        };
        if matches!(first, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
            self.letters.next();
            return first.to_string();
        }
        let is_number = first.is_ascii_digit();
        let fits = |letter: &char| match is_number {
            true => letter.is_ascii_digit(),
            false => letter.is_ascii_alphanumeric() || *letter == '_',
        };
        while let Some(letter) = self.letters.next_if(fits) {
            name.push(letter);
        }
        name
    }
}

fn unsupported(name: &str, operator: &str) -> String {
    format!("`{operator}` after {name} is not known; there are :- :+ :? - + ? # ## % %% / and //")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "A" => Some("alpine"),
            "EMPTY" => Some(""),
            "V" => Some("3.19.1-rc1"),
            _ => None,
        }
    }

    fn expanded(word: &str) -> Result<Expanded, String> {
        expand(word, '\\', &value)
    }

    #[test]
    fn a_word_is_filled_in() {
        for (word, expected) in [
            ("$A", "alpine"),
            ("${A}:$V", "alpine:3.19.1-rc1"),
            ("$A/x$Z", "alpine/x"),
            ("${Z:-b}", "b"),
            ("${EMPTY:-b}", "b"),
            ("${EMPTY-b}", ""),
            ("${Z-b}", "b"),
            ("${A:-b}", "alpine"),
            ("${A:+-slim}", "-slim"),
            ("${Z:+x}${EMPTY:+x}", ""),
            ("${EMPTY+x}", "x"),
            ("${Z:-${Y:-$A}}", "alpine"),
            ("${Z:-'}'}", "}"),
            ("${A:?none}", "alpine"),
            ("'$A'", "$A"),
            ("\"$A\"", "alpine"),
            ("\"a\\\"\\$\\z\"", "a\"$\\z"),
            (r"\$A", "$A"),
            ("a$", "a$"),
            ("${V#3.}", "19.1-rc1"),
            ("${V%%-*}", "3.19.1"),
            ("${V%.*}", "3.19"),
            ("${V##*.}", "1-rc1"),
            ("${V/./_}", "3_19.1-rc1"),
            ("${V//./_}", "3_19_1-rc1"),
        ] {
            assert_eq!(
                expanded(word).map(|it| it.text),
                Ok(expected.to_owned()),
                "{word}"
            );
        }
    }

    #[test]
    fn what_has_no_value_is_named() {
        for (word, unset) in [
            ("$Z", &["Z"][..]),
            ("${Z}${Y}", &["Z", "Y"]),
            ("${Z:-$Y}", &["Y"]),
            ("${A:-$Y}", &[]),
            ("${Z:+$Y}", &[]),
        ] {
            assert_eq!(expanded(word).expect(word).unset, unset, "{word}");
        }
    }

    #[test]
    fn a_broken_word_is_refused() {
        for word in [
            "${", "${}", "${A", "${A:", "${A:x}", "${A:-", "'a", "\"a", "${A~}", "${Z:?no}",
        ] {
            assert!(expanded(word).is_err(), "{word}");
        }
        let deep = "${Z:-".repeat(100_000);
        assert!(expanded(&deep).is_err());
    }
}
