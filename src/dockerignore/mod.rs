//! Docker's own ignore rules: which files of a folder a build never sees.
//!
//! The last rule that matches a path, or a folder above it, decides. `!` keeps what an earlier rule ignored. These
//! are the rules of docker's pattern matcher, its oddities included; they are not those of git. One thing differs: a
//! broken pattern is refused when it is read, also where docker would stumble over it later or never.

mod clean;
mod error;
mod expression;
mod matcher;
mod reach;
mod syntax;
mod translate;

pub use error::{Error, Fault};

use clean::clean;
use matcher::Matcher;
use reach::Reach;

/// The rules of one ignore file, in order; the default ignores nothing.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone)]
struct Rule {
    matcher: Matcher,
    /// For a `!` rule, where the paths lie that it could keep.
    keeps: Option<Reach>,
}

impl Rules {
    /// Reads the text of an ignore file.
    pub fn parse(text: &str) -> Result<Rules, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Rules::default();
        for (index, line) in text.lines().enumerate() {
            // A `#` after blanks starts a pattern, not a comment.
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let rule = Rule::parse(&pattern_of_line(line.trim()));
            rules.push(rule.map_err(|error| error.at_line(index + 1))?);
        }
        Ok(rules)
    }

    /// Takes patterns as docker's matcher gets them: here a leading `/` is not stripped, so that it matches nothing.
    pub fn new(patterns: &[String]) -> Result<Rules, Error> {
        let mut rules = Rules::default();
        for pattern in patterns.iter().filter(|p| !p.trim().is_empty()) {
            rules.push(Rule::parse(pattern)?);
        }
        Ok(rules)
    }

    /// Adds the rules of another file after these, so that they decide over these.
    pub fn followed_by(mut self, later: Rules) -> Rules {
        self.rules.extend(later.rules);
        self
    }

    /// Keeps exactly this path, and what is below it, whatever the rules so far say.
    pub fn keep(&mut self, path: &str) {
        self.push(Rule {
            matcher: Matcher::Exact(path.to_owned()),
            keeps: Some(Reach::of_literal(path)),
        });
    }

    /// Tells whether a path, relative and with forward slashes, is ignored.
    pub fn is_ignored(&self, path: &str) -> bool {
        let mut ignored = false;
        for rule in &self.rules {
            // A rule that could only confirm what is decided need not be tried.
            let undecided = rule.keeps.is_some() == ignored;
            if undecided && rule.matcher.matches_at_or_above(path) {
                ignored = !ignored;
            }
        }
        ignored
    }

    /// Tells whether something below a folder may be kept; where not, the folder need not be read.
    pub fn may_hold_kept(&self, folder: &str) -> bool {
        let deciding = self
            .rules
            .iter()
            .rposition(|rule| rule.matcher.matches_at_or_above(folder));
        // What decides on the folder decides on all below it, except for the rules that come later.
        let later = match deciding {
            Some(index) if self.rules[index].keeps.is_none() => &self.rules[index + 1..],
            _ => return true,
        };
        later
            .iter()
            .filter_map(|rule| rule.keeps.as_ref())
            .any(|reach| reach.extends_below(folder))
    }

    fn push(&mut self, rule: Rule) {
        self.rules.push(rule);
    }
}

impl Rule {
    fn parse(pattern: &str) -> Result<Rule, Error> {
        // Cleaning comes before `!` is looked at, so that `!a/..` is an empty exception and an error.
        let cleaned = clean(pattern.trim());
        let (keeps, body) = match cleaned.strip_prefix('!') {
            Some(body) => (true, body),
            None => (false, cleaned.as_str()),
        };
        let refused = |fault| Error::new(pattern, fault);
        if body.is_empty() {
            return Err(refused(Fault::EmptyException));
        }
        syntax::check(body).map_err(refused)?;
        Ok(Rule {
            matcher: Matcher::compile(body).map_err(refused)?,
            keeps: keeps.then(|| Reach::of_pattern(body)),
        })
    }
}

/// Makes the pattern of a trimmed line: clean, and relative to the folder.
fn pattern_of_line(line: &str) -> String {
    let (mark, body) = match line.strip_prefix('!') {
        Some(body) => ("!", body.trim()),
        None => ("", line),
    };
    if body.is_empty() {
        return mark.to_owned();
    }
    let cleaned = clean(body);
    let relative = match cleaned.strip_prefix('/') {
        Some(relative) if !relative.is_empty() => relative,
        _ => &cleaned,
    };
    format!("{mark}{relative}")
}
