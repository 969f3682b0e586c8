//! Where the paths lie that a `!` rule could keep.

use super::matcher::Matcher;

/// The leading folders of a pattern, each matched by itself, as far as that is sure.
#[derive(Debug, Clone)]
pub struct Reach {
    heads: Vec<Matcher>,
    /// Whether the pattern goes on in a way that may match at any depth.
    open: bool,
}

impl Reach {
    /// Reads the reach of a clean pattern.
    pub fn of_pattern(pattern: &str) -> Reach {
        // A `|` divides the whole expression, so that no part of it leads.
        let sure = |part: &&str| !pattern.contains('|') && is_sure(part);
        let heads: Vec<_> = pattern
            .split('/')
            .take_while(sure)
            .map_while(|part| Matcher::compile(part).ok())
            .collect();
        Reach {
            open: heads.len() < pattern.split('/').count(),
            heads,
        }
    }

    /// Gives the reach of one path, taken literally.
    pub fn of_literal(path: &str) -> Reach {
        Reach {
            heads: path
                .split('/')
                .map(|part| Matcher::Exact(part.to_owned()))
                .collect(),
            open: false,
        }
    }

    /// Tells whether a path strictly below this folder could match.
    pub fn extends_below(&self, folder: &str) -> bool {
        let mut heads = self.heads.iter();
        for name in folder.split('/') {
            match heads.next() {
                Some(head) if head.matches(name) => {}
                Some(_) => return false,
                None => return self.open,
            }
        }
        self.open || heads.next().is_some()
    }
}

/// Tells whether a part of a pattern matches exactly one name: it has no `**`, nothing that may match a slash, and
/// nothing that reaches into its neighbours.
fn is_sure(part: &str) -> bool {
    !part.contains("**") && !part.contains(['[', ']', '\\', '{', '^'])
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn a_rule_reaches_only_folders_that_its_leading_parts_match() {
        let cases = [
            ("keep/a", "keep", true),
            ("keep/a", "other", false),
            ("keep/a", "keep/a", false),
            ("*.md", "node_modules", false),
            ("*/README", "node_modules", true),
            ("*/README", "node_modules/x", false),
            ("**/*.md", "node_modules/x", true),
            ("src/**", "src/a/b", true),
            ("src/**", "lib", false),
            ("[^a]b", "x", true),
            ("a|b*", "x/y", true),
            ("a/[b]/c", "z", false),
            ("a/[b]/c", "a/z", true),
        ];
        for (pattern, folder, expected) in cases {
            let reach = Reach::of_pattern(pattern);
            assert_eq!(reach.extends_below(folder), expected, "{pattern} {folder}");
        }
    }
}
