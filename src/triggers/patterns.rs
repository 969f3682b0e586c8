//! Lists of globs: a name is in when a pattern takes it and no later one with `!` in front takes it back.

use globset::{Glob, GlobBuilder, GlobMatcher};

/// A compiled list of globs.
#[derive(Debug, Clone, Default)]
pub struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    is_taken_back: bool,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    /// No character means more than itself.
    Plain(String),
    Glob(Box<GlobMatcher>),
}

impl Patterns {
    /// Compiles globs, in which `*` stays within one part of a path and `**` does not.
    pub fn new<'t>(patterns: impl IntoIterator<Item = &'t str>) -> Result<Patterns, String> {
        let compiled = patterns.into_iter().map(|text| {
            let (is_taken_back, glob) = match text.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, text),
            };
            Ok(Pattern {
                is_taken_back,
                shape: shape(glob).map_err(|why| format!("{text:?} is no pattern: {why}"))?,
            })
        });
        compiled.collect::<Result<_, _>>().map(Patterns)
    }

    /// Says whether nothing is asked for, so that everything is in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether a name is in. A list that only takes back begins with everything.
    pub fn takes(&self, name: &str) -> bool {
        let begins_with_all = self.0.iter().all(|pattern| pattern.is_taken_back);
        let last = self.0.iter().rev().find(|it| it.shape.is_match(name));
        last.map_or(begins_with_all, |pattern| !pattern.is_taken_back)
    }
}

impl Shape {
    fn is_match(&self, name: &str) -> bool {
        match self {
            Shape::Plain(text) => text == name,
            Shape::Glob(glob) => glob.is_match(name),
        }
    }
}

fn shape(text: &str) -> Result<Shape, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !text.contains(['*', '?', '[', '{', '\\']) {
        return Ok(Shape::Plain(text.to_owned()));
    }
    let glob: Result<Glob, _> = GlobBuilder::new(text).literal_separator(true).build();
    let glob = glob.map_err(|error| error.kind().to_string())?;
    Ok(Shape::Glob(Box::new(glob.compile_matcher())))
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn the_last_pattern_that_takes_a_name_decides() {
        for (patterns, name, expected) in [
            (&[][..], "main", true),
            (&["main"], "main", true),
            (&["main"], "main2", false),
            (&["release/*"], "release/1", true),
            (&["release/*"], "release/1/fix", false),
            (&["release/**"], "release/1/fix", true),
            (&["!main"], "dev", true),
            (&["!main"], "main", false),
            (&["*", "!wip*"], "wip-1", false),
            (&["**", "!docs/**", "docs/keep.md"], "docs/keep.md", true),
            (&["{a,b}/*.rs"], "b/x.rs", true),
        ] {
            let compiled = Patterns::new(patterns.iter().copied()).unwrap();
            assert_eq!(compiled.takes(name), expected, "{patterns:?} {name}");
        }
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let error = Patterns::new(["a", "[x"]).unwrap_err();
        assert!(error.contains("\"[x\""), "{error}");
    }
}
