//! The patterns that may follow a variable: `*` is any text, `?` any letter.

use regex::Regex;

/// Cuts the shortest or longest match off the begin.
pub(super) fn without_prefix(value: &str, pattern: &str, is_greedy: bool) -> Option<String> {
    let regex = Regex::new(&format!("^{}", expression(pattern, is_greedy))).ok()?;
    let cut = regex.find(value).map_or(0, |found| found.end());
    Some(value[cut..].to_owned())
}

/// Cuts the shortest or longest match off the end.
pub(super) fn without_suffix(value: &str, pattern: &str, is_greedy: bool) -> Option<String> {
    let regex = Regex::new(&format!("(?s)^{}$", expression(pattern, true))).ok()?;
    let mut starts: Vec<usize> = value.char_indices().map(|(at, _)| at).collect();
    starts.push(value.len());
    if !is_greedy {
        starts.reverse();
    }
    let cut = starts.into_iter().find(|at| regex.is_match(&value[*at..]));
    Some(value[..cut.unwrap_or(value.len())].to_owned())
}

/// Puts a text in place of the first match, or of each.
pub(super) fn replaced(value: &str, pattern: &str, text: &str, everywhere: bool) -> Option<String> {
    let regex = Regex::new(&expression(pattern, true)).ok()?;
    let limit = if everywhere { 0 } else { 1 };
    let text = regex::NoExpand(text);
    Some(regex.replacen(value, limit, text).into_owned())
}

fn expression(pattern: &str, is_greedy: bool) -> String {
    let mut expression = "(?s)".to_owned();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => expression.push_str(if is_greedy { ".*" } else { ".*?" }),
            '?' => expression.push('.'),
            '\\' => expression.push_str(&regex::escape(
                &letters.as_str().chars().take(1).collect::<String>(),
            )),
            _ => expression.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
        if letter == '\\' {
            letters.next();
        }
    }
    expression
}
