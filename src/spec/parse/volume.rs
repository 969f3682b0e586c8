//! Entries of `volumes`, and the `volumeMounts` that use them.

use super::codes;
use super::keys;
use super::reader::{Field, Fields, Reader};
use crate::spec::{Volume, VolumeMount};
use crate::text::{Diagnostic, Span};
use crate::yaml::{Kind, Pair};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::{HashMap, HashSet};

/// Reads the `volumes` of a file.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Vec<Volume> {
    let mut known: HashMap<String, Span> = HashMap::new();
    let mut volumes = Vec::new();
    for node in reader.list(field) {
        let around = field.map_or(node.span, |field| field.key.span);
        let Some(fields) = reader.fields(&keys::VOLUME, node, around) else {
            continue;
        };
        let name = name(reader, &fields, &mut known);
        let files = files(reader, &fields);
        volumes.push(Volume { name, files });
    }
    volumes
}

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::VOLUME, message)
}

fn name(reader: &mut Reader<'_>, fields: &Fields<'_>, known: &mut HashMap<String, Span>) -> String {
    let name = reader.owned(fields.get("name")).unwrap_or_default();
    let span = fields
        .get("name")
        .map_or_else(|| fields.first_key(), |field| field.span());
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() {
        reader.report(
            error("volume name is empty")
                .at(span)
                .help("add `name: something`; `volumeMounts` use that name"),
        );
    } else if !name.chars().all(allowed) {
        let message = "volume name is not well formed. Letters, digits, `-` and `_` may be used";
        reader.report(error(message).at(span));
    } else if let Some(first) = known.insert(name.clone(), span) {
        let finding = error("volume with duplicate name found").at(span);
        reader.report(finding.also(first, "it is declared first here"));
    }
    name
}

fn files(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<(String, Vec<u8>)> {
    const SHAPE: &str = "write `secret:` and below it `FILE: BASE64` lines";
    let field = fields.get("secret");
    let pairs = match field.map(|field| (&field.value.kind, field)) {
        Some((Kind::Mapping(pairs), _)) => pairs,
        Some((Kind::Broken, _)) => return Vec::new(),
        Some((_, field)) if !field.value.is_null() => {
            let finding = error(format!(
                "`secret` takes a map, not {}",
                field.value.describe()
            ));
            reader.report(finding.at(field.key.span).help(SHAPE));
            return Vec::new();
        }
        _ => {
            let finding = error("currently only support for source type secret");
            reader.report(finding.at(fields.first_key()).help(SHAPE));
            return Vec::new();
        }
    };
    if pairs.is_empty() {
        reader.report(error("secret is empty").at(fields.first_key()).help(SHAPE));
    }
    let mut files: Vec<(String, Vec<u8>)> = Vec::with_capacity(pairs.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, content) in pairs.iter().filter_map(|pair| file(reader, pair)) {
        match places.get(&name) {
            Some(place) => files[*place].1 = content,
            None => {
                places.insert(name.clone(), files.len());
                files.push((name, content));
            }
        }
    }
    files
}

/// Reads one file of a volume. What is wrong is marked at its name: the value is a secret.
fn file(reader: &mut Reader<'_>, pair: &Pair) -> Option<(String, Vec<u8>)> {
    let name = pair.key.as_text().ok()?.into_owned();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || !name.chars().all(allowed) || name.chars().all(|c| c == '.') {
        let message = format!(
            "file name, {name}, is not well formed. Letters, digits, `-`, `_` and `.` may be used"
        );
        reader.report(error(message).at(pair.key.span));
    }
    let Ok(encoded) = pair.value.as_text() else {
        if !matches!(pair.value.kind, Kind::Broken) {
            let message = format!("the content of file `{name}` must be a text");
            reader.report(error(message).at(pair.key.span));
        }
        return None;
    };
    let joined: String = encoded
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r'))
        .collect();
    let Ok(mut content) = STANDARD.decode(joined) else {
        let message = format!("the content of file `{name}` is not standard base64");
        let finding = error(message).at(pair.key.span);
        reader.report(
            finding.help(
                "encode it, for example with the template function: `{{ .Values.x | b64enc }}`",
            ),
        );
        return None;
    };
    content.push(b'\n');
    Some((name, content))
}

/// Reads the `volumeMounts` of a step; `volumes` are the names that the file declares.
pub(super) fn mounts(
    reader: &mut Reader<'_>,
    field: Option<Field<'_>>,
    volumes: &HashSet<String>,
) -> Vec<VolumeMount> {
    let mut paths: HashMap<String, Span> = HashMap::new();
    let mut mounts = Vec::new();
    for node in reader.list(field) {
        let around = field.map_or(node.span, |field| field.key.span);
        let Some(fields) = reader.fields(&keys::MOUNT, node, around) else {
            continue;
        };
        let name = reader.owned(fields.get("name")).unwrap_or_default();
        let mount_path = reader.owned(fields.get("mountPath")).unwrap_or_default();
        check_mount(reader, &fields, (&name, &mount_path), volumes);
        let span = fields
            .get("mountPath")
            .map_or_else(|| fields.first_key(), |field| field.span());
        if let Some(first) = paths
            .insert(mount_path.clone(), span)
            .filter(|_| !mount_path.is_empty())
        {
            let finding = mount_error("mount with duplicate container file path found");
            reader.report(finding.at(span).also(first, "the path is used first here"));
        }
        mounts.push(VolumeMount { name, mount_path });
    }
    mounts
}

fn mount_error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::MOUNT, message)
}

fn check_mount(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    (name, path): (&str, &str),
    volumes: &HashSet<String>,
) {
    let span_of = |key: &str| {
        fields
            .get(key)
            .map_or_else(|| fields.first_key(), |field| field.span())
    };
    if name.is_empty() || path.is_empty() {
        let finding = mount_error("mount name or mount path is empty").at(fields.first_key());
        reader.report(finding.help("a mount needs both, `name: VOLUME` and `mountPath: /FOLDER`"));
        return;
    }
    if !volumes.contains(name) {
        let message = format!("mount name, {name}, does not correspond to a volume");
        let finding = mount_error(message).at(span_of("name"));
        let near = reader
            .may_suggest()
            .then(|| crate::text::did_you_mean(name, volumes.iter().map(String::as_str)));
        reader.report(match near.flatten() {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("declare it in the `volumes` of the file"),
        });
    }
    if !path.starts_with('/') {
        let finding =
            mount_error(format!("mount path `{path}` is not absolute")).at(span_of("mountPath"));
        reader.report(finding.help(format!("write `/{path}`")));
    }
}
