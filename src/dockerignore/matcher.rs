//! One pattern, ready to be matched.

use regex::Regex;

use super::{
    Fault, expression,
    translate::{Kind, translate},
};

/// A compiled pattern; most are plain text and need no regular expression.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// The path is this text.
    Exact(String),
    /// The path begins with this text: `a/**`.
    Prefix(String),
    /// The path ends with this text, or is it without its leading slash: `**/a`.
    Suffix(String),
    /// The path matches this expression as a whole.
    Expression(Regex),
}

impl Matcher {
    /// Compiles a clean, well-formed pattern.
    pub fn compile(pattern: &str) -> Result<Matcher, Fault> {
        let text = pattern.to_owned();
        Ok(match translate(pattern) {
            Kind::Exact => Matcher::Exact(text),
            Kind::Prefix => Matcher::Prefix(text[..text.len() - "**".len()].to_owned()),
            Kind::Suffix => Matcher::Suffix(text["**".len()..].to_owned()),
            Kind::Expression(expression) => Matcher::Expression(expression::compile(&expression)?),
        })
    }

    /// Tells whether the pattern matches this very path.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Matcher::Exact(text) => path == text,
            Matcher::Prefix(text) => path.starts_with(text),
            Matcher::Suffix(text) => path.ends_with(text) || text.strip_prefix('/') == Some(path),
            Matcher::Expression(expression) => expression.is_match(path),
        }
    }

    /// Tells whether the pattern matches this path or a folder above it.
    pub fn matches_at_or_above(&self, path: &str) -> bool {
        match self {
            Matcher::Exact(text) => is_at_or_below(path, text),
            // A folder that begins so has paths that begin so.
            Matcher::Prefix(_) => self.matches(path),
            Matcher::Suffix(_) | Matcher::Expression(_) => {
                self.matches(path)
                    || path
                        .match_indices('/')
                        .any(|(index, _)| self.matches(&path[..index]))
            }
        }
    }
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::Matcher;

    fn matches(pattern: &str, path: &str) -> bool {
        Matcher::compile(pattern).unwrap().matches(path)
    }

    #[test]
    fn plain_patterns_need_no_expression() {
        assert!(matches!(Matcher::compile("a.b/c+d"), Ok(Matcher::Exact(_))));
        assert!(matches!(Matcher::compile("a/**"), Ok(Matcher::Prefix(_))));
        assert!(matches!(Matcher::compile("**/a.b"), Ok(Matcher::Suffix(_))));
        assert!(matches!(Matcher::compile("a*"), Ok(Matcher::Expression(_))));
    }

    #[test]
    fn dockers_oddities_are_kept() {
        let cases = [
            ("foo/**", "foo", false),
            ("foo/**", "foo/a/b", true),
            ("a**", "abc/d", true),
            ("a**b", "a/b", true),
            ("**.go", "d/x.go", true),
            ("**a*", "ba", false),
            ("**/bin", "bin", true),
            ("[!a]b", "cb", false),
            ("[!a]b", "!b", true),
            ("[^a]b", "/b", true),
            ("a+*", "a+b", true),
            ("a+*", "aab", false),
            ("{a,b}*", "{a,b}c", true),
            ("x{1,2}*", "xx", true),
            ("x{1,2}", "x{1,2}", true),
            ("a|b*", "a/anything", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("v\\d", "v7", true),
            ("[[:digit:]]*", "7up", true),
            ("[a&&b]", "&", true),
            ("[?]", "/]", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
