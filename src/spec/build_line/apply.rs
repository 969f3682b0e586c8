//! Puts the value of each supported docker-build option into the Build.

use super::{cache, secret};
use crate::spec::command_line::{
    check_isolation, check_platform, parse_extra_host, parse_label, parse_memory,
};
use crate::spec::reference::Reference;
use crate::spec::words::options::Problem;
use crate::spec::{Build, Grant};

type Done = Result<(), Problem>;

/// Takes `--tag`.
pub(super) fn tag(build: &mut Build, text: &str) -> Done {
    let reference = Reference::parse(text).map_err(|error| format!("`{text}`: {error}"))?;
    if reference.digest.is_some() {
        return Err(format!("`{text}` has a digest, which only a finished image gets").into());
    }
    build.tags.push(text.to_owned());
    Ok(())
}

/// Takes `--file`.
pub(super) fn file(build: &mut Build, text: &str) -> Done {
    build.dockerfile = Some(text.to_owned());
    Ok(())
}

/// Takes `--build-arg`.
pub(super) fn build_arg(build: &mut Build, text: &str) -> Done {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err(format!("`{text}` has no name").into());
    }
    build.build_args.push((name.to_owned(), value));
    Ok(())
}

/// Takes `--target`.
pub(super) fn target(build: &mut Build, text: &str) -> Done {
    build.target = Some(text.to_owned()).filter(|stage| !stage.is_empty());
    Ok(())
}

/// Takes `--label`.
pub(super) fn label(build: &mut Build, text: &str) -> Done {
    build.labels.push(parse_label(text)?);
    Ok(())
}

/// Reads one platform or several with commas between them.
pub(super) fn platform(build: &mut Build, text: &str) -> Done {
    for platform in text.split(',').map(str::trim) {
        build.platforms.push(check_platform(platform)?);
    }
    Ok(())
}

/// Takes `--no-cache`.
pub(super) fn no_cache(build: &mut Build, text: &str) -> Done {
    build.no_cache = text == "true";
    Ok(())
}

/// Builds without any cache, which includes the stages named.
pub(super) fn no_cache_filter(build: &mut Build, text: &str) -> Done {
    build.no_cache = true;
    Err(Problem::warning(format!(
        "not only `{text}` but every stage is built without the cache"
    )))
}

/// Takes `--pull`.
pub(super) fn pull(build: &mut Build, text: &str) -> Done {
    build.pull = text == "true";
    Ok(())
}

/// Takes `--network`.
pub(super) fn network(build: &mut Build, text: &str) -> Done {
    if let Some(container) = text.strip_prefix("container:") {
        return Err(format!(
            "`container:{container}` would enter the network of another container"
        )
        .into());
    }
    build.grants.retain(|grant| *grant != Grant::HostNetwork);
    if text == "host" {
        build.grants.push(Grant::HostNetwork);
    }
    build.network = Some(text.to_owned());
    Ok(())
}

/// Takes `--cache-from`.
pub(super) fn cache_from(build: &mut Build, text: &str) -> Done {
    build.grants.extend(cache::grant(text, "src")?);
    build.cache_from.push(text.to_owned());
    Ok(())
}

/// Takes `--cache-to`.
pub(super) fn cache_to(build: &mut Build, text: &str) -> Done {
    build.grants.extend(cache::grant(text, "dest")?);
    build.cache_to.push(text.to_owned());
    Ok(())
}

/// Takes `--secret`.
pub(super) fn secret(build: &mut Build, text: &str) -> Done {
    build.secrets.push(secret::parse(text)?);
    Ok(())
}

/// Takes `--add-host`.
pub(super) fn add_host(build: &mut Build, text: &str) -> Done {
    build.extra_hosts.push(parse_extra_host(text)?);
    Ok(())
}

/// Takes `--shm-size`.
pub(super) fn shm_size(build: &mut Build, text: &str) -> Done {
    build.shm_size_bytes = Some(parse_memory(text)?);
    Ok(())
}

/// Takes `--memory`.
pub(super) fn memory(build: &mut Build, text: &str) -> Done {
    build.memory_bytes = Some(parse_memory(text)?);
    Ok(())
}

/// Takes `--squash`.
pub(super) fn squash(build: &mut Build, text: &str) -> Done {
    build.squash = text == "true";
    Ok(())
}

/// Takes `--quiet`.
pub(super) fn quiet(build: &mut Build, text: &str) -> Done {
    build.quiet = text == "true";
    Ok(())
}

/// Takes `--progress`.
pub(super) fn progress(build: &mut Build, text: &str) -> Done {
    build.progress = Some(text.to_owned());
    Ok(())
}

/// Takes `--isolation`.
pub(super) fn isolation(_: &mut Build, text: &str) -> Done {
    check_isolation(text).map_err(Problem::from)
}

/// Lets `--provenance=false` and `--sbom=false` pass: nothing of the kind is made.
pub(super) fn attestation(_: &mut Build, text: &str) -> Done {
    match text {
        "false" | "0" | "disabled" | "disabled=true" => Ok(()),
        _ => Err(
            Problem::from("no attestations are made for images".to_owned())
                .help("write `=false` or drop it"),
        ),
    }
}

/// Lets the outputs that a build has anyway pass.
pub(super) fn output(_: &mut Build, text: &str) -> Done {
    match text {
        "type=docker" | "type=image" | "type=image,push=false" => Ok(()),
        _ => Err(Problem::from(format!("`{text}` is not supported: a build makes an image in the engine"))
            .help("a `push` step sends the image to its registry; a `cmd` step can copy files out of it to /workspace")),
    }
}
