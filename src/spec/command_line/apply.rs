//! Puts the value of each supported docker-run option into the Command.

use super::ports::{parse_expose, parse_port};
use super::shared::{check_isolation, check_platform, parse_extra_host, parse_label};
use super::sizes::{parse_cpus, parse_memory};
use crate::spec::words::options::Problem;
use crate::spec::{Command, EnvVar, Grant};

type Done = Result<(), Problem>;

/// Takes `--env`.
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

/// Takes `--workdir`.
pub(super) fn working_directory(command: &mut Command, text: &str) -> Done {
    if !text.starts_with('/') {
        return Err(format!("`{text}` must be an absolute path").into());
    }
    command.working_directory = Some(text.to_owned());
    Ok(())
}

/// Takes `--user`.
pub(super) fn user(command: &mut Command, text: &str) -> Done {
    command.user = Some(text.to_owned());
    Ok(())
}

/// Takes `--entrypoint`.
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

/// Takes `--network-alias`.
pub(super) fn network_alias(command: &mut Command, text: &str) -> Done {
    command.network_aliases.push(text.to_owned());
    Ok(())
}

/// Takes `--publish`.
pub(super) fn publish(command: &mut Command, text: &str) -> Done {
    command.ports.extend(parse_port(text)?);
    Ok(())
}

/// Takes `--expose`.
pub(super) fn expose(command: &mut Command, text: &str) -> Done {
    command.expose.extend(parse_expose(text)?);
    Ok(())
}

/// Takes `--memory`.
pub(super) fn memory(command: &mut Command, text: &str) -> Done {
    command.memory_bytes = Some(parse_memory(text)?);
    Ok(())
}

/// Takes `--cpus`.
pub(super) fn cpus(command: &mut Command, text: &str) -> Done {
    command.nano_cpus = Some(parse_cpus(text)?);
    Ok(())
}

/// Takes `--pids-limit`.
pub(super) fn pids_limit(command: &mut Command, text: &str) -> Done {
    let number = text.parse();
    command.pids_limit = Some(number.map_err(|_| format!("`{text}` is no whole number"))?);
    Ok(())
}

/// Takes `--shm-size`.
pub(super) fn shm_size(command: &mut Command, text: &str) -> Done {
    command.shm_size_bytes = Some(parse_memory(text)?);
    Ok(())
}

/// Reads `host:address`; docker also takes `host=address`.
pub(super) fn add_host(command: &mut Command, text: &str) -> Done {
    command.extra_hosts.push(parse_extra_host(text)?);
    Ok(())
}

/// Takes `--platform`.
pub(super) fn platform(command: &mut Command, text: &str) -> Done {
    command.platform = Some(check_platform(text)?);
    Ok(())
}

/// Takes `--hostname`.
pub(super) fn hostname(command: &mut Command, text: &str) -> Done {
    command.hostname = Some(text.to_owned());
    Ok(())
}

/// Takes `--label`.
pub(super) fn label(command: &mut Command, text: &str) -> Done {
    command.labels.push(parse_label(text)?);
    Ok(())
}

/// Takes `--cap-drop`.
pub(super) fn cap_drop(command: &mut Command, text: &str) -> Done {
    command.cap_drop.push(text.to_owned());
    Ok(())
}

/// Takes `--stop-signal`.
pub(super) fn stop_signal(command: &mut Command, text: &str) -> Done {
    command.stop_signal = Some(text.to_owned());
    Ok(())
}

/// Takes `--pull`.
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

/// Takes `--isolation`.
pub(super) fn isolation(_: &mut Command, text: &str) -> Done {
    check_isolation(text).map_err(Problem::from)
}

/// Takes `--read-only`.
pub(super) fn read_only(command: &mut Command, text: &str) -> Done {
    command.read_only = text == "true";
    Ok(())
}

/// Takes `--init`.
pub(super) fn init(command: &mut Command, text: &str) -> Done {
    command.init = text == "true";
    Ok(())
}

/// Takes `--tty`.
pub(super) fn tty(command: &mut Command, text: &str) -> Done {
    command.tty = text == "true";
    Ok(())
}

/// Takes `--interactive`.
pub(super) fn interactive(command: &mut Command, text: &str) -> Done {
    command.interactive = text == "true";
    Ok(())
}

/// Takes `--detach`.
pub(super) fn detach(command: &mut Command, text: &str) -> Done {
    command.detach = text == "true";
    Ok(())
}

/// Takes `--privileged`.
pub(super) fn privileged(command: &mut Command, text: &str) -> Done {
    command.privileged = text == "true";
    Ok(())
}
