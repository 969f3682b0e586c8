//! Which entries of a context BuildKit means when it names paths to follow.
//!
//! A path means itself, all below it, the folders above it, and what it leads to through links; its parts may have
//! wildcards. A link inside of a folder that is copied is copied as a link, and leads nowhere.

use std::collections::HashSet;

use globset::{GlobBuilder, GlobMatcher};

use crate::ports::{ContextEntry, EntryKind};

/// More paths than this no Dockerfile means: links that lead to one another would go on for ever.
const MOST_PATHS: usize = 10_000;

/// Chooses entries by paths; no path at all means everything.
pub(super) fn select(entries: Vec<ContextEntry>, paths: &[String]) -> Vec<ContextEntry> {
    let links: Vec<(Vec<&str>, &str)> = entries.iter().filter_map(link).collect();
    let wanted = resolve(paths, &links);
    if wanted.is_empty() || wanted.iter().any(Vec::is_empty) {
        return entries;
    }
    let matchers: Vec<Vec<Part>> = wanted
        .iter()
        .map(|path| path.iter().map(|part| Part::new(part)).collect())
        .collect();
    let is_wanted = |entry: &ContextEntry| {
        let mut paths = matchers.iter();
        paths.any(|path| agrees(path, entry.path.split('/')))
    };
    let chosen: HashSet<usize> = (0..entries.len())
        .filter(|index| is_wanted(&entries[*index]))
        .collect();
    let numbered = entries.into_iter().enumerate();
    numbered
        .filter(|(index, _)| chosen.contains(index))
        .map(|(_, entry)| entry)
        .collect()
}

fn link(entry: &ContextEntry) -> Option<(Vec<&str>, &str)> {
    match &entry.kind {
        EntryKind::Link(target) => Some((entry.path.split('/').collect(), target)),
        EntryKind::Folder | EntryKind::File(_) => None,
    }
}

/// Adds to the paths those that links on their way lead to.
fn resolve(paths: &[String], links: &[(Vec<&str>, &str)]) -> Vec<Vec<String>> {
    let mut known = HashSet::new();
    let mut open: Vec<Vec<String>> = paths.iter().map(|path| parts(Vec::new(), path)).collect();
    let mut wanted = Vec::new();
    while let Some(path) = open.pop() {
        if known.len() >= MOST_PATHS || !known.insert(path.clone()) {
            continue;
        }
        for (link, target) in links.iter().filter(|(link, _)| leads_through(&path, link)) {
            let folder = link[..link.len() - 1].iter().map(ToString::to_string);
            let mut led = parts(folder.collect(), target);
            led.extend_from_slice(&path[link.len()..]);
            open.push(led);
        }
        wanted.push(path);
    }
    wanted
}

fn leads_through(path: &[String], link: &[&str]) -> bool {
    link.len() <= path.len()
        && link
            .iter()
            .zip(path)
            .all(|(name, part)| Part::new(part).matches(name))
}

/// Splits a path that begins in a folder, without ever leaving the context.
fn parts(mut folder: Vec<String>, path: &str) -> Vec<String> {
    if path.starts_with('/') {
        folder.clear();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                folder.pop();
            }
            // It means what follows at any depth: all below is sent.
            "**" => return folder,
            part => folder.push(part.to_owned()),
        }
    }
    folder
}

/// Tells whether one of the two leads to the other.
fn agrees<'a>(path: &[Part], names: impl Iterator<Item = &'a str>) -> bool {
    path.iter()
        .zip(names)
        .all(|(part, name)| part.matches(name))
}

/// One part of a path.
enum Part {
    Name(String),
    Pattern(GlobMatcher),
}

impl Part {
    fn new(text: &str) -> Part {
        if !text.contains(['*', '?', '[', '\\']) {
            return Part::Name(text.to_owned());
        }
        // Braces mean nothing here.
        let pattern = text.replace('{', "[{]").replace('}', "[}]");
        let glob = GlobBuilder::new(&pattern).backslash_escape(true).build();
        match glob {
            Ok(glob) => Part::Pattern(glob.compile_matcher()),
            Err(_) => Part::Name(text.to_owned()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Part::Name(text) => text == name,
            Part::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context in which `a -> b` is a link and `a/` a folder.
    fn chosen(entries: &[&str], paths: &[&str]) -> String {
        let entry = |text: &&str| {
            let (path, kind) = match text.split_once(" -> ") {
                Some((path, target)) => (path, EntryKind::Link(target.to_string())),
                None if text.ends_with('/') => (text.trim_end_matches('/'), EntryKind::Folder),
                None => (*text, EntryKind::File(1)),
            };
            ContextEntry {
                path: path.to_string(),
                kind,
                mode: 0o644,
                modified_nanos: 0,
            }
        };
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        let chosen = select(entries.iter().map(entry).collect(), &paths);
        let names: Vec<String> = chosen.into_iter().map(|entry| entry.path).collect();
        names.join(" ")
    }

    #[test]
    fn a_path_means_itself_what_is_below_and_the_folders_above() {
        let entries = ["a/", "a/b/", "a/b/c", "a/d", "ab", "z"];
        for (paths, expected) in [
            (vec![], "a a/b a/b/c a/d ab z"),
            (vec!["/"], "a a/b a/b/c a/d ab z"),
            (vec!["."], "a a/b a/b/c a/d ab z"),
            (vec!["a/b"], "a a/b a/b/c"),
            (vec!["/z", "a/d"], "a a/d z"),
            (vec!["a*"], "a a/b a/b/c a/d ab"),
            (vec!["?"], "a a/b a/b/c a/d z"),
            (vec!["a/[^b]"], "a a/d"),
            (vec!["a/**/c"], "a a/b a/b/c a/d"),
            (vec!["nothing"], ""),
            (vec!["../../z"], "z"),
        ] {
            assert_eq!(chosen(&entries, &paths), expected, "{paths:?}");
        }
    }

    #[test]
    fn a_path_means_what_links_on_its_way_lead_to() {
        let entries = [
            "link -> sub/a",
            "loop -> loop",
            "out -> ../../etc/passwd",
            "root -> /sub",
            "sub/",
            "sub/a",
            "sub/in -> ../x",
            "x",
        ];
        for (paths, expected) in [
            (vec!["link"], "link sub sub/a"),
            (vec!["li*"], "link sub sub/a"),
            (vec!["root/a"], "root sub sub/a"),
            (vec!["sub/in"], "sub sub/in x"),
            (vec!["sub"], "sub sub/a sub/in"),
            (vec!["loop"], "loop"),
            (vec!["out"], "out"),
        ] {
            assert_eq!(chosen(&entries, &paths), expected, "{paths:?}");
        }
    }
}
