//! Upper, lower and title case, and names written in different cases.
use super::context::text_of;
use super::signature::{Function, Parameter};
use super::text_split::{Word, words};
use crate::template::value::classes::{
    is_digit, is_letter, is_lower, is_title, is_upper, to_lower, to_title, to_upper,
};
use crate::template::value::runes;

const ONE: &[Parameter] = &[Parameter::Text];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    mapped("upper", |context, values| {
        context.text(each(text_of(values, 0), to_upper))
    }),
    mapped("lower", |context, values| {
        context.text(each(text_of(values, 0), to_lower))
    }),
    mapped("title", |context, values| {
        context.text(title(text_of(values, 0)))
    }),
    mapped("untitle", |context, values| {
        context.text(untitle(text_of(values, 0)))
    }),
    mapped("swapcase", |context, values| {
        context.text(swap(text_of(values, 0)))
    }),
    mapped("camelcase", |context, values| {
        context.text(camel(text_of(values, 0)))
    }),
    mapped("snakecase", |context, values| {
        context.text(joined(text_of(values, 0), '_'))
    }),
    mapped("kebabcase", |context, values| {
        context.text(joined(text_of(values, 0), '-'))
    }),
];

const fn mapped(name: &'static str, run: super::signature::Run) -> Function {
    Function::new(name, ONE, run)
}

fn each(text: &[u8], map: fn(char) -> char) -> String {
    runes::of(text).map(map).collect()
}

/// Puts the first letter after each separator in title case; an apostrophe separates too.
fn title(text: &[u8]) -> String {
    let mut before = ' ';
    let map = |character| {
        let mapped = if separates(before) {
            to_title(character)
        } else {
            character
        };
        before = character;
        mapped
    };
    runes::of(text).map(map).collect()
}

fn separates(character: char) -> bool {
    if character.is_ascii() {
        return !(character.is_ascii_alphanumeric() || character == '_');
    }
    !(is_letter(character) || is_digit(character)) && character.is_whitespace()
}

fn untitle(text: &[u8]) -> String {
    let mut at_start = true;
    let map = |character: char| {
        let mapped = if at_start && !character.is_whitespace() {
            to_lower(character)
        } else {
            character
        };
        at_start = character.is_whitespace();
        mapped
    };
    runes::of(text).map(map).collect()
}

/// Swaps case; a lower case letter at the start of a word becomes title case.
fn swap(text: &[u8]) -> String {
    let mut at_start = true;
    let map = |character: char| {
        if is_upper(character) || is_title(character) {
            at_start = false;
            to_lower(character)
        } else if is_lower(character) {
            if std::mem::take(&mut at_start) {
                to_title(character)
            } else {
                to_upper(character)
            }
        } else {
            at_start = character.is_whitespace();
            character
        }
    };
    runes::of(text).map(map).collect()
}

/// Says whether a character joins the words of a name.
pub fn connects(character: char) -> bool {
    matches!(character, '-' | '_') || character.is_whitespace()
}

/// Drops the connectors inside a name and puts the letter after each in upper case, all others in lower case.
fn camel(text: &[u8]) -> String {
    let characters: Vec<char> = runes::of(text).collect();
    let start = characters
        .iter()
        .position(|character| !connects(*character));
    let Some(start) = start else {
        return characters.into_iter().collect();
    };
    let mut name: String = characters[..start].iter().collect();
    let mut last = to_upper(characters[start]);
    for character in &characters[start + 1..] {
        match (connects(*character), connects(last)) {
            (true, true) => {
                name.push(last);
                last = *character;
            }
            (_, true) => last = to_upper(*character),
            (_, false) => {
                name.push(last);
                last = to_lower(*character);
            }
        }
    }
    name.push(last);
    name
}

/// Writes a name's words in lower case with a connector between them.
fn joined(text: &[u8], connector: char) -> String {
    let words = words(text);
    let mut name = String::with_capacity(text.len() + 8);
    let mut index = 0;
    while index < words.len() {
        let (kind, word) = words[index];
        let next = words.get(index + 1).map(|(kind, _)| *kind);
        index += 1;
        if next.is_none() {
            push_lower(&mut name, kind, word, connector);
            break;
        }
        match kind {
            Word::Connector => push_lower(&mut name, kind, word, connector),
            Word::Punctuation => push_lower(&mut name, kind, word, connector),
            Word::Number => {
                push_lower(&mut name, kind, word, connector);
                index += push_run(&mut name, &words[index..], connector);
                let after = words.get(index).map(|(kind, _)| *kind);
                if after.is_some_and(|after| after != Word::Punctuation && after != Word::Invalid) {
                    name.push(connector);
                }
            }
            _ => {
                push_lower(&mut name, kind, word, connector);
                index += after_letters(&mut name, &words[index..], connector);
            }
        }
    }
    name
}

/// Writes what follows a word of letters: a number either ends the word or starts the next. Says how many words it took.
fn after_letters(name: &mut String, rest: &[(Word, &[u8])], connector: char) -> usize {
    let parts = |kind: Word| kind != Word::Connector && kind != Word::Punctuation;
    let Some((kind, number)) = rest.first() else {
        return 0;
    };
    if *kind != Word::Number {
        if parts(*kind) {
            name.push(connector);
        }
        return 0;
    }
    let Some((after, _)) = rest.get(1) else {
        return 0;
    };
    if *after != Word::Alphabet {
        push_lower(name, Word::Number, number, connector);
        if parts(*after) {
            name.push(connector);
        }
        return 1;
    }
    name.push(connector);
    push_lower(name, Word::Number, number, connector);
    let taken = 1 + push_run(name, &rest[1..], connector);
    if rest
        .get(taken)
        .is_some_and(|(kind, _)| parts(*kind) && *kind != Word::Invalid)
    {
        name.push(connector);
    }
    taken
}

/// Writes the lower case words and numbers that follow each other directly. Says how many.
fn push_run(name: &mut String, rest: &[(Word, &[u8])], connector: char) -> usize {
    let run = rest
        .iter()
        .take_while(|(kind, _)| matches!(kind, Word::Alphabet | Word::Number));
    let mut count = 0;
    for (kind, word) in run {
        push_lower(name, *kind, word, connector);
        count += 1;
    }
    count
}

fn push_lower(name: &mut String, kind: Word, word: &[u8], connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        name.push_str(&runes::to_string(word));
        return;
    }
    name.extend(runes::of(word).map(|character| match character {
        joint if connects(joint) => connector,
        upper if is_upper(upper) => to_lower(upper),
        other => other,
    }));
}
