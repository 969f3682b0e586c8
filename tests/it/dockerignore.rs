//! Ignore rules decide as docker's own matcher does.

use std::collections::BTreeSet;

use careen::dockerignore::Rules;
use serde_json::Value;

/// Patterns, a path, and what docker's matcher says of it: ignored or not, or why the patterns are refused.
type Case = (Vec<String>, String, Value);

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../data/dockerignore.json")).unwrap()
}

#[test]
fn every_answer_is_dockers() {
    let wrong: Vec<_> = cases()
        .into_iter()
        .filter(|(patterns, path, expected)| {
            let answer = Rules::new(patterns).map(|rules| rules.is_ignored(path));
            match expected {
                Value::Bool(expected) => answer != Ok(*expected),
                _ => answer.is_ok(),
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn nothing_is_kept_below_a_folder_that_need_not_be_read() {
    let cases = cases();
    let paths: BTreeSet<&str> = cases.iter().map(|(_, path, _)| path.as_str()).collect();
    let nested: Vec<_> = paths
        .iter()
        .filter_map(|p| Some((p.rsplit_once('/')?.0, *p)))
        .collect();
    for (patterns, ..) in &cases {
        let Ok(rules) = Rules::new(patterns) else {
            continue;
        };
        for (folder, path) in &nested {
            let pruned = rules.is_ignored(folder) && !rules.may_hold_kept(folder);
            assert!(!pruned || rules.is_ignored(path), "{patterns:?} {path}");
        }
    }
}

/// Checks the text of an ignore file against paths: `-` marks what it ignores, `+` what it keeps.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let rules = Rules::parse(text).unwrap();
    let answers: Vec<_> = expected
        .iter()
        .map(|line| {
            let sign = if rules.is_ignored(&line[1..]) {
                '-'
            } else {
                '+'
            };
            format!("{sign}{}", &line[1..])
        })
        .collect();
    assert_eq!(answers, expected, "{text}");
}

#[test]
fn a_file_is_read_as_docker_reads_it() {
    check(
        "\u{feff}# comment\r\nfoo\r\n\r\n",
        &["-foo", "-foo/x", "+d/foo", "+# comment"],
    );
    check("  foo/  \n /bar\n./baz\n", &["-foo", "-bar/x", "-baz"]);
    check(" #x", &["-#x"]);
    check("a/../b", &["-b", "+a"]);
    check("*\n! /keep/", &["-a", "+keep", "+keep/x"]);
    check(
        "*\n!keep/a\nkeep/a/x",
        &["-keep", "+keep/a", "-keep/a/x", "+keep/a/y"],
    );
    check("/\n.\n..", &["+a"]);
    check("!a\na", &["-a"]);
}

#[test]
fn a_wrong_line_is_named() {
    let cases = [
        (
            "a\n\n!\n",
            "line 3: illegal pattern \"!\": `!` needs a pattern after it",
        ),
        (
            "[",
            "line 1: illegal pattern \"[\": syntax error in pattern",
        ),
        (
            "a\\",
            "line 1: illegal pattern \"a\\\": syntax error in pattern",
        ),
    ];
    for (text, expected) in cases {
        let message = Rules::parse(text).map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn an_ignored_folder_is_read_only_where_something_in_it_may_be_kept() {
    let cases = [
        ("node_modules", false),
        ("node_modules\n!README*.md", false),
        ("!node_modules/a\nnode_modules", false),
        ("node_modules\n!node_modules/a", true),
        ("node_modules\n!**/a", true),
        ("*\n!src", false),
    ];
    for (text, expected) in cases {
        let rules = Rules::parse(text).unwrap();
        assert!(rules.is_ignored("node_modules"));
        assert_eq!(rules.may_hold_kept("node_modules"), expected, "{text}");
    }
}

#[test]
fn a_kept_path_overrules_everything_before_it() {
    let mut rules = Rules::parse("*\n").unwrap();
    rules.keep("docker/[x]");
    assert!(!rules.is_ignored("docker/[x]"));
    assert!(rules.is_ignored("docker"));
    assert!(rules.may_hold_kept("docker"));
    assert!(!rules.may_hold_kept("other"));
}
