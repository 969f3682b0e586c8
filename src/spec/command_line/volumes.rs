//! Volumes, as docker's `-v` and `--tmpfs` take them.

use crate::spec::words::options::Problem;
use crate::spec::{Command, Grant, VolumeSource, VolumeUse};

/// The places where the engine's socket may be.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];

/// Reads one `-v`: `[name-or-folder:]target[:options]`.
pub(super) fn volume(command: &mut Command, text: &str) -> Result<(), Problem> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => (VolumeSource::Anonymous, *target, ""),
        [source, target] => (parse_source(source)?, *target, ""),
        [source, target, options] => (parse_source(source)?, *target, *options),
        _ => return Err(format!("`{text}` has too many colons").into()),
    };
    let read_only = parse_options(options)?;
    add(command, source, target, read_only)
}

/// Reads one `--tmpfs`: `target[:options]`.
pub(super) fn tmpfs(command: &mut Command, text: &str) -> Result<(), Problem> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    command
        .tmpfs
        .push((check_target(target)?, options.to_owned()));
    Ok(())
}

/// Adds the volume and what it needs to be allowed.
pub(super) fn add(
    command: &mut Command,
    source: VolumeSource,
    target: &str,
    read_only: bool,
) -> Result<(), Problem> {
    let target = check_target(target)?;
    if let VolumeSource::HostPath(path) = &source {
        command.grants.push(if SOCKETS.contains(&path.as_str()) {
            Grant::DockerSocket
        } else {
            Grant::HostPath(path.clone())
        });
    }
    command.volumes.push(VolumeUse {
        source,
        target,
        read_only,
    });
    Ok(())
}

/// Tells a volume's name from a folder of the host.
fn parse_source(text: &str) -> Result<VolumeSource, Problem> {
    if text.starts_with('/') {
        return Ok(VolumeSource::HostPath(clean(text)));
    }
    if text.starts_with(['.', '~']) || text.contains('/') {
        return Err(relative(text));
    }
    named(text)
}

/// Makes the problem of a path that is relative to nothing.
pub(super) fn relative(text: &str) -> Problem {
    Problem::from(format!("`{text}` is relative: a step has no folder on the host"))
        .help("every step sees the run's files at /workspace; a folder of the host needs its full path and --allow host-path=DIR")
}

/// Reads the name of a volume of the run.
pub(super) fn named(name: &str) -> Result<VolumeSource, Problem> {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let first = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if first && name.len() > 1 && name.bytes().all(is_inner) {
        return Ok(VolumeSource::Named(name.to_owned()));
    }
    Err(
        format!("`{name}` is no name of a volume; names have two or more of a-z A-Z 0-9 _ . -")
            .into(),
    )
}

fn check_target(target: &str) -> Result<String, Problem> {
    if !target.starts_with('/') {
        return Err(format!("`{target}` must be an absolute path inside the container").into());
    }
    match clean(target).as_str() {
        "/" => Err("the root of a container cannot be mounted over"
            .to_owned()
            .into()),
        path => Ok(path.to_owned()),
    }
}

/// Reads the options after the second colon; says whether the mount is read-only.
fn parse_options(text: &str) -> Result<bool, Problem> {
    let mut read_only = false;
    for option in text.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            // Labels for SELinux and hints for other systems: they change nothing here.
            "z" | "Z" | "cached" | "delegated" | "consistent" | "default" => {}
            other => return Err(format!("`{other}` is no supported option; ro and rw are").into()),
        }
    }
    Ok(read_only)
}

/// Removes `.`, `..` and doubled slashes from an absolute path, never leaving the root.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
