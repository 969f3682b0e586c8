//! Puts the value of each supported docker-run option into the Command.

use super::ports::{parse_expose, parse_port};
use super::sizes::{parse_cpus, parse_memory};
use crate::spec::words::options::Problem;
use crate::spec::{Command, EnvVar, Grant};

type Done = Result<(), Problem>;

pub(super) fn env(command: &mut Command, text: &str) -> Done {
    match text.split_once('=') {
        Some(("", _)) => Err(format!("`{text}` has no name before the `=`").into()),
        Some((name, value)) => {
            command.env.push(EnvVar {
                name: name.to_owned(),
                value: value.to_owned(),
            });
            Ok(())
        }
        None => Err(Problem::warning(format!(
            "`{text}` has no value; ACR would have taken its agent's, here there is none"
        ))
        .help(format!("write {text}=VALUE, or drop it"))),
    }
}

pub(super) fn working_directory(command: &mut Command, text: &str) -> Done {
    if !text.starts_with('/') {
        return Err(format!("`{text}` must be an absolute path").into());
    }
    command.working_directory = Some(text.to_owned());
    Ok(())
}

pub(super) fn user(command: &mut Command, text: &str) -> Done {
    command.user = Some(text.to_owned());
    Ok(())
}

pub(super) fn entry_point(command: &mut Command, text: &str) -> Done {
    command.entry_point = Some(text.to_owned());
    Ok(())
}

/// Reads `host`, `none`, the name of a network, or `name=X,alias=Y`.
pub(super) fn network(command: &mut Command, text: &str) -> Done {
    let mut name = text;
    if text.contains('=') {
        for field in text.split(',') {
            match field.split_once('=') {
                Some(("name", value)) => name = value,
                Some(("alias", value)) => command.network_aliases.push(value.to_owned()),
                _ => return Err(format!("`{field}` is no supported field of a network").into()),
            }
        }
    }
    if let Some(container) = name.strip_prefix("container:") {
        return Err(Problem::from(format!(
            "`container:{container}` would enter the network of another container"
        ))
        .help("steps of one run share a network and reach each other by step id"));
    }
    if command
        .network
        .as_deref()
        .is_some_and(|before| before != name)
    {
        return Err("a step joins one network".to_owned().into());
    }
    if name == "host" {
        command.grants.push(Grant::HostNetwork);
    }
    command.network = Some(name.to_owned());
    Ok(())
}

pub(super) fn network_alias(command: &mut Command, text: &str) -> Done {
    command.network_aliases.push(text.to_owned());
    Ok(())
}

pub(super) fn publish(command: &mut Command, text: &str) -> Done {
    command.ports.extend(parse_port(text)?);
    Ok(())
}

pub(super) fn expose(command: &mut Command, text: &str) -> Done {
    command.expose.extend(parse_expose(text)?);
    Ok(())
}

pub(super) fn memory(command: &mut Command, text: &str) -> Done {
    command.memory_bytes = Some(parse_memory(text)?);
    Ok(())
}

pub(super) fn cpus(command: &mut Command, text: &str) -> Done {
    command.nano_cpus = Some(parse_cpus(text)?);
    Ok(())
}

pub(super) fn pids_limit(command: &mut Command, text: &str) -> Done {
    let number = text.parse();
    command.pids_limit = Some(number.map_err(|_| format!("`{text}` is no whole number"))?);
    Ok(())
}

pub(super) fn shm_size(command: &mut Command, text: &str) -> Done {
    command.shm_size_bytes = Some(parse_memory(text)?);
    Ok(())
}

/// Reads `host:address`; docker also takes `host=address`.
pub(super) fn add_host(command: &mut Command, text: &str) -> Done {
    command.extra_hosts.push(parse_extra_host(text)?);
    Ok(())
}

/// Reads `host:address` or `host=address` and gives it back with a colon.
pub(crate) fn parse_extra_host(text: &str) -> Result<String, String> {
    let halves = text.split_once('=').or_else(|| text.split_once(':'));
    match halves {
        Some((host, address)) if !host.is_empty() && !address.is_empty() => {
            let inner = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
            Ok(format!("{host}:{}", inner.unwrap_or(address)))
        }
        _ => Err(format!("`{text}` is not written like host:address")),
    }
}

pub(super) fn platform(command: &mut Command, text: &str) -> Done {
    command.platform = Some(check_platform(text)?);
    Ok(())
}

/// Lets Linux platforms pass.
pub(crate) fn check_platform(text: &str) -> Result<String, String> {
    let system = text.split('/').next().unwrap_or(text);
    match system.to_ascii_lowercase().as_str() {
        "" => Err("a platform is written like linux/amd64".to_owned()),
        "windows" => Err("`windows` is not supported: only Linux containers run here".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

pub(super) fn hostname(command: &mut Command, text: &str) -> Done {
    command.hostname = Some(text.to_owned());
    Ok(())
}

pub(super) fn label(command: &mut Command, text: &str) -> Done {
    command.labels.push(parse_label(text)?);
    Ok(())
}

/// Reads `name` or `name=value`.
pub(crate) fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').unwrap_or((text, "")) {
        ("", _) => Err(format!("`{text}` has no name")),
        (name, value) => Ok((name.to_owned(), value.to_owned())),
    }
}

pub(super) fn cap_drop(command: &mut Command, text: &str) -> Done {
    command.cap_drop.push(text.to_owned());
    Ok(())
}

pub(super) fn stop_signal(command: &mut Command, text: &str) -> Done {
    command.stop_signal = Some(text.to_owned());
    Ok(())
}

pub(super) fn pull(command: &mut Command, text: &str) -> Done {
    match text {
        "always" => command.pull = true,
        "missing" | "" => command.pull = false,
        "never" => {
            return Err(Problem::warning(
                "`never` is treated like `missing`: an image that is not there is pulled",
            ));
        }
        other => return Err(format!("`{other}` is none of always, missing and never").into()),
    }
    Ok(())
}

pub(super) fn isolation(_: &mut Command, text: &str) -> Done {
    check_isolation(text).map_err(Problem::from)
}

/// Lets the one isolation that Linux has pass.
pub(crate) fn check_isolation(text: &str) -> Result<(), String> {
    match text {
        "" | "default" => Ok(()),
        other => Err(format!(
            "`{other}` exists on Windows only; write default or drop it"
        )),
    }
}

pub(super) fn read_only(command: &mut Command, text: &str) -> Done {
    command.read_only = text == "true";
    Ok(())
}

pub(super) fn init(command: &mut Command, text: &str) -> Done {
    command.init = text == "true";
    Ok(())
}

pub(super) fn tty(command: &mut Command, text: &str) -> Done {
    command.tty = text == "true";
    Ok(())
}

pub(super) fn interactive(command: &mut Command, text: &str) -> Done {
    command.interactive = text == "true";
    Ok(())
}

pub(super) fn detach(command: &mut Command, text: &str) -> Done {
    command.detach = text == "true";
    Ok(())
}

pub(super) fn privileged(command: &mut Command, text: &str) -> Done {
    command.privileged = text == "true";
    Ok(())
}
