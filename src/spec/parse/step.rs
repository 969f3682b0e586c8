//! One entry of `steps`.

use super::reader::{Field, Fields, Reader};
use super::when::{self, Link};
use super::{codes, directory, env, keys, kind, unknown, volume};
use crate::spec::alias::Aliases;
use crate::spec::command_line::{parse_expose, parse_port};
use crate::spec::{EnvVar, Step, StepKind, When};
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;
use std::collections::HashSet;

/// The limit of a step where neither it nor the file says one.
pub(super) const DEFAULT_TIMEOUT_SECONDS: u64 = 600;
/// The wait before a retry where the step says none.
const DEFAULT_RETRY_DELAY_SECONDS: u64 = 5;
/// Ten years: longer times are cut, so that they can be added to any date.
const LONGEST_SECONDS: i64 = 315_360_000;

/// What a step takes from the file around it.
pub(super) struct Surroundings<'a> {
    /// The limit of a step that says none.
    pub timeout_seconds: u64,
    /// The working directory of a step that says none, as written.
    pub working_directory: Option<Field<'a>>,
    /// The environment that steps inherit.
    pub env: Vec<EnvVar>,
    /// The names of the volumes that can be mounted.
    pub volumes: HashSet<String>,
    /// The aliases for the first word of a `cmd`.
    pub aliases: &'a Aliases,
}

/// Reads the step at `index`. Its id and `when` are given apart, for they must be compared with those of all others.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    (index, around): (usize, Span),
    surroundings: &Surroundings<'_>,
) -> (Link, Option<Step>) {
    let Some(fields) = reader.fields(&keys::STEP, node, around) else {
        let id = format!("acb_step_{index}");
        let link = Link {
            id,
            span: node.span,
            when: Vec::new(),
        };
        return (link, None);
    };
    let id_field = fields.get("id");
    let link = Link {
        id: when::id(reader, id_field, index),
        span: id_field.map_or_else(|| fields.first_key(), |field| field.span()),
        when: when::entries(reader.texts(fields.get("when"))),
    };
    let kind = kind::read(reader, &fields, surroundings.aliases);
    if let Some(kind) = &kind {
        check_effects(reader, &fields, kind);
    }
    // What is wrong with the rest is worth knowing also where it is unclear what the step does.
    let step = with_kind(
        reader,
        &fields,
        kind.unwrap_or(StepKind::Push(Default::default())),
        surroundings,
    );
    (link, Some(step))
}

/// Warns about properties that do nothing for this kind of step, and refuses those that cannot.
fn check_effects(reader: &mut Reader<'_>, fields: &Fields<'_>, kind: &StepKind) {
    let (word, letter) = (kind.word(), &kind.word()[..1]);
    for (name, field) in fields.iter() {
        let honoured_by = keys::STEP.find(name).map_or("", |key| key.honoured_by);
        if honoured_by.contains(letter) {
            continue;
        }
        let message = match honoured_by {
            "" => format!("`{name}` is known, but never used"),
            _ => format!("`{name}` has no effect on a `{word}`"),
        };
        reader.report(Diagnostic::warning(codes::NO_EFFECT, message).at(field.key.span));
    }
    let detach = fields.get("detach");
    if let Some(field) = detach.filter(|field| letter == "b" && field.value.as_bool() == Ok(true)) {
        let finding = Diagnostic::error(codes::DETACH, "detach has no meaning for build");
        let finding = finding
            .at(field.span())
            .label("the next step needs the image");
        reader.report(finding.help("remove it; `when: ['-']` lets steps run side by side"));
    }
    let mounts = fields.get("volumeMounts");
    if let Some(field) =
        mounts.filter(|field| letter == "p" && !reader.list(Some(*field)).is_empty())
    {
        let message = "invalid use of Mounts. Only a cmd or a build can have them, each path once";
        reader.report(Diagnostic::error(codes::MOUNT, message).at(field.key.span));
    }
}

/// Fills in everything but the id and the `when`.
fn with_kind(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    kind: StepKind,
    surroundings: &Surroundings<'_>,
) -> Step {
    let command = match &kind {
        StepKind::Cmd(command) => Some(command),
        StepKind::Build(_) | StepKind::Push(_) => None,
    };
    let by_option =
        |option: fn(&crate::spec::Command) -> bool| command.is_some_and(|command| option(command));
    let (detached, pulled, privileged) = (
        by_option(|c| c.detach),
        by_option(|c| c.pull),
        by_option(|c| c.privileged),
    );
    if !matches!(kind, StepKind::Build(_)) {
        kind::cache(reader, fields.get("cache"));
    }
    check_unused(reader, fields);
    // Elsewhere they have no effect, whatever they say.
    let is_container = matches!(kind, StepKind::Cmd(_));
    let expose = checked(
        reader,
        fields.get("expose").filter(|_| is_container),
        |text| parse_expose(text).map(drop),
    );
    let ports = checked(
        reader,
        fields.get("ports").filter(|_| is_container),
        |text| parse_port(text).map(drop),
    );
    let env = reader.texts(fields.get("env"));
    Step {
        id: String::new(),
        when: When::Previous,
        timeout_seconds: seconds(reader, fields.get("timeout"))
            .unwrap_or(surroundings.timeout_seconds),
        start_delay_seconds: seconds(reader, fields.get("startDelay")).unwrap_or_default(),
        retries: count(reader, fields.get("retries"), "retries"),
        retry_delay_seconds: seconds(reader, fields.get("retryDelay"))
            .unwrap_or(DEFAULT_RETRY_DELAY_SECONDS),
        retry_on_errors: owned(reader, fields.get("retryOnErrors")),
        repeat: count(reader, fields.get("repeat"), "repeat"),
        ignore_errors: reader.boolean(fields.get("ignoreErrors")),
        detach: reader.boolean(fields.get("detach")) | detached,
        keep: reader.boolean(fields.get("keep")),
        pull: reader.boolean(fields.get("pull")) | pulled,
        pull_retries: seconds(reader, fields.get("cmdDownloadRetries")).map_or(0, saturated),
        pull_retry_delay_seconds: seconds(reader, fields.get("cmdDownloadRetryDelay"))
            .unwrap_or_default(),
        working_directory: working_directory(reader, fields, surroundings),
        entry_point: reader.owned(fields.get("entryPoint")),
        env: env::merged(reader, &env, &surroundings.env),
        expose,
        ports,
        user: reader.owned(fields.get("user")),
        privileged: reader.boolean(fields.get("privileged")) | privileged,
        network: reader.owned(fields.get("network")),
        isolation: isolation(reader, fields.get("isolation"), is_container),
        cpus: cpus(reader, fields.get("cpus")),
        volume_mounts: volume::mounts(reader, fields.get("volumeMounts"), &surroundings.volumes),
        kind,
    }
}

/// Reads a time or a count; 0 and less mean the default.
pub(super) fn seconds(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Option<u64> {
    let number = reader.integer(field).min(LONGEST_SECONDS);
    u64::try_from(number).ok().filter(|number| *number > 0)
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads `retries` or `repeat`, which must not be negative.
fn count(reader: &mut Reader<'_>, field: Option<Field<'_>>, name: &str) -> u32 {
    let number = reader.integer(field);
    if let Some(field) = field.filter(|_| number < 0) {
        let finding = Diagnostic::error(codes::BAD_VALUE, format!("step must specify {name} >= 0"));
        reader.report(
            finding
                .at(field.span())
                .help(format!("write `{name}: 0`, or remove it")),
        );
    }
    saturated(u64::try_from(number).unwrap_or_default())
}

fn owned(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Vec<String> {
    let entries = reader.texts(field).into_iter();
    // An empty text would be contained in every output, and is no port.
    let filled = entries.filter(|entry| !entry.text.is_empty());
    filled.map(|entry| entry.text.into_owned()).collect()
}

/// Reads a list of ports, and underlines each entry that is none.
fn checked(
    reader: &mut Reader<'_>,
    field: Option<Field<'_>>,
    check: fn(&str) -> Result<(), String>,
) -> Vec<String> {
    let mut good = Vec::new();
    for entry in reader.texts(field) {
        match check(&entry.text) {
            _ if entry.text.is_empty() => {}
            Ok(()) => good.push(entry.text.into_owned()),
            Err(problem) => reader.report(bad_port(&problem).at(entry.span)),
        }
    }
    good
}

fn bad_port(problem: &str) -> Diagnostic {
    let help = "write for example `ports: ['8080:80']` to publish a port, `expose: ['80/tcp']` to name one";
    Diagnostic::error(codes::BAD_VALUE, problem).help(help)
}

/// Checks the types of what is known, but never used.
fn check_unused(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    for field in ["exitedWith", "exitedWithout"]
        .iter()
        .filter_map(|name| fields.get(name))
    {
        for node in reader.list(Some(field)) {
            reader.typed(field.entry(node), node.as_integer(), "whole numbers");
        }
    }
}

fn working_directory(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<String> {
    let own = fields
        .get("workingDirectory")
        .filter(|field| !field.value.is_null());
    let is_overridden = !reader.boolean(fields.get("disableWorkingDirectoryOverride"));
    let field = own.or(surroundings.working_directory);
    let written = match field {
        Some(field) => reader.text(Some(field)).unwrap_or_default(),
        None => reader.directory.clone().into(),
    };
    match directory::resolve(&written) {
        Ok(path) => is_overridden.then_some(path),
        Err(directory::Outside) => {
            // That of the file was reported where it stands.
            if let Some(field) = own {
                reader.report(outside(field.span()));
            }
            None
        }
    }
}

/// Makes the error for a working directory that leaves the workspace.
pub(super) fn outside(span: Span) -> Diagnostic {
    Diagnostic::error(
        codes::WORKING_DIRECTORY,
        "the working directory leaves the workspace",
    )
    .at(span)
    .label("relative paths begin at /workspace")
    .help("write an absolute path if a folder of the image is meant")
}

/// Reads the isolation; it acts on containers alone, so that elsewhere any will do.
fn isolation(
    reader: &mut Reader<'_>,
    field: Option<Field<'_>>,
    is_container: bool,
) -> Option<String> {
    let (field, text) = field.zip(reader.owned(field))?;
    if is_container && !text.eq_ignore_ascii_case("default") {
        let message = format!("isolation `{text}` does not exist on Linux");
        reader.report(unknown::windows(message).at(field.span()));
    }
    Some(text)
}

fn cpus(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Option<String> {
    let (field, text) = field.zip(reader.owned(field))?;
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_positive = text.parse::<f64>().is_ok_and(|number| number > 0.0);
    if !is_decimal || !is_positive {
        let message = format!("`cpus` takes a positive number, not `{text}`");
        let finding = Diagnostic::error(codes::BAD_VALUE, message).at(field.span());
        reader.report(finding.help("write for example `cpus: 1.5`"));
    }
    Some(text)
}
