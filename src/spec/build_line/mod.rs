//! Reads a `build` property: the arguments of a docker build.

mod apply;
mod cache;
mod secret;
mod table;

use super::Build;
use super::words::{self, Line, Word, options};
use crate::text::{Diagnostic, Diagnostics};

/// Reads the text of a `build`; spans in the findings are byte ranges of `text`.
pub fn read(text: &str) -> (Build, Diagnostics) {
    let words = words::split(text);
    let mut found = words::findings(&words, text, Line::Build);
    let mut build = Build {
        text: text.to_owned(),
        ..Build::default()
    };
    let words = words.before_operator();
    let (positional, problems) = options::read(words, &table::GRAMMAR, &mut build);
    found.extend(problems);
    let contexts: Vec<&Word> = positional.iter().map(|i| &words[*i]).collect();
    build.context = match contexts.first() {
        Some(context) if !context.text.is_empty() => context.text.clone(),
        _ => ".".to_owned(),
    };
    for extra in contexts.iter().skip(1) {
        found.push(second_context(extra, &build.context));
    }
    (build, found)
}

fn second_context(extra: &Word, context: &str) -> Diagnostic {
    Diagnostic::error(
        "second-context",
        format!("a build has one context; `{context}` is it already"),
    )
    .at(extra.span)
    .label("a second word that belongs to no option")
    .help("quote a value that has blanks in it: --build-arg NAME='a b'")
}
