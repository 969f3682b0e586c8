//! Reads which paths a source file names, wherever in the file it does so.

use std::sync::LazyLock;

use regex::Regex;

/// Comments, strings and character literals: text that names nothing.
static SILENT: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = [
        r"//[^\n]*",
        r"/\*.*?\*/",
        "r##\".*?\"##",
        "r#\".*?\"#",
        "r\".*?\"",
        r"\x22(?:\\.|[^\\\x22])*\x22",
        r"'(?:\\[^']+|[^'\\])'",
    ];
    Regex::new(&format!("(?s){}", patterns.join("|"))).expect("a pattern")
});

static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\w+|::|[^\s\w]").expect("a pattern"));

/// The code of a source file without its comments and literals, word by word.
pub fn words(source: &str) -> Vec<String> {
    let code = SILENT.replace_all(source, " ");
    TOKEN
        .find_iter(&code)
        .map(|token| token.as_str().to_owned())
        .collect()
}

/// Every path of two segments or more that a file names, made absolute: `super` is resolved against the file's place
/// in `src`.
pub fn paths(file: &str, source: &str) -> Vec<Vec<String>> {
    let words = words(source);
    let mut home = module(file);
    // How deep the braces are, and where modules inside the file began.
    let (mut depth, mut inner) = (0, Vec::new());
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if let Some(trees) = path_at(&words, &mut at) {
            found.extend(trees.into_iter().map(|path| absolute(&home, path)));
            continue;
        }
        match words[at].as_str() {
            "{" => {
                depth += 1;
                if at > 1 && words[at - 2] == "mod" {
                    home.push(words[at - 1].clone());
                    inner.push(depth);
                }
            }
            "}" => {
                if inner.last() == Some(&depth) {
                    inner.pop();
                    home.pop();
                }
                depth -= 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads the paths that begin at `at`, if any do, and moves `at` behind them.
fn path_at(words: &[String], at: &mut usize) -> Option<Vec<Vec<String>>> {
    let begins = words.get(*at + 1).is_some_and(|next| next == "::");
    let continues = *at > 0 && words[*at - 1] == "::";
    if !begins || continues || !is_name(&words[*at]) {
        return None;
    }
    let mut trees = Vec::new();
    *at = tree(words, *at, &[], &mut trees);
    Some(trees)
}

/// Reads `a::b`, `a::{b, c::d}` or `*` from `at` on and says where it ends.
fn tree(words: &[String], at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    match words.get(at).map(String::as_str) {
        Some("{") => {
            let mut at = at + 1;
            while at < words.len() && words[at] != "}" {
                // A comma, `as` and its name are stepped over.
                let is_part = is_name(&words[at]) || words[at] == "*" || words[at] == "{";
                at = if is_part {
                    tree(words, at, before, found)
                } else {
                    at + 1
                };
            }
            at + 1
        }
        Some(word) if is_name(word) || word == "*" => {
            let mut path = before.to_vec();
            // `a::{self}` is `a`.
            if word != "self" || before.is_empty() {
                path.push(word.to_owned());
            }
            if words.get(at + 1).is_some_and(|next| next == "::") {
                return tree(words, at + 2, &path, found);
            }
            found.push(path);
            at + 1
        }
        // `::<…>` ends a path.
        _ => {
            found.push(before.to_vec());
            at
        }
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The module that a file under `src` is: `engine/judge.rs` is `engine::judge`.
fn module(file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    stem.split('/').map(ToOwned::to_owned).collect()
}

fn absolute(home: &[String], path: Vec<String>) -> Vec<String> {
    let mut base: Vec<String> = match path[0].as_str() {
        "super" | "self" => home.to_vec(),
        _ => return path,
    };
    let mut rest = path.as_slice();
    while let [first, after @ ..] = rest {
        match first.as_str() {
            "super" => drop(base.pop()),
            "self" => {}
            _ => break,
        }
        rest = after;
    }
    base.insert(0, "crate".to_owned());
    base.extend_from_slice(rest);
    base
}
