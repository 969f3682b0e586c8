//! Slash-separated paths, by their text alone.
use super::context::text_of;
use super::signature::{Function, Parameter};
use crate::template::value::Value;

const ONE: &[Parameter] = &[Parameter::Text];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("base", ONE, |context, values| {
        context.text(base(text_of(values, 0)))
    }),
    Function::new("dir", ONE, |context, values| {
        let path = text_of(values, 0);
        let folder = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(&path[..0], |slash| &path[..=slash]);
        context.text(clean(folder))
    }),
    Function::new("clean", ONE, |context, values| {
        context.text(clean(text_of(values, 0)))
    }),
    Function::new("ext", ONE, |context, values| {
        let path = text_of(values, 0);
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let extension = name
            .iter()
            .rposition(|byte| *byte == b'.')
            .map_or(&name[..0], |dot| &name[dot..]);
        context.text(extension)
    }),
    Function::new("isAbs", ONE, |_, values| {
        Ok(Value::Bool(text_of(values, 0).starts_with(b"/")))
    }),
];

fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let length = path
        .iter()
        .rposition(|byte| *byte != b'/')
        .map_or(0, |last| last + 1);
    match length {
        0 => b"/",
        _ => path[..length]
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or(path),
    }
}

/// Shortens a path: no `.`, no doubled slashes, `..` applied where it can be.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            other => kept.push(other),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
