//! The folder of a cache with `type=local`, which is one of the machine that builds.

use crate::spec::{Grant, words::options::Problem};

/// Says what it takes to use this cache, given as `--cache-from` or `--cache-to`; `key` names the folder in it.
pub(super) fn grant(text: &str, key: &str) -> Result<Option<Grant>, Problem> {
    let value = |name: &str| {
        let pairs = text.split(',').filter_map(|part| part.split_once('='));
        pairs
            .filter(|(it, _)| *it == name)
            .map(|(_, value)| value)
            .next_back()
    };
    if value("type") != Some("local") {
        return Ok(None);
    }
    match value(key) {
        Some(folder) if folder.starts_with('/') => Ok(Some(Grant::HostPath(folder.to_owned()))),
        Some(folder) => Err(Problem::from(format!(
            "`{folder}` is relative: a build step has no folder on the host"
        ))
        .help("write the cache's full path, and run with --allow host-path=DIR")),
        None => Err(format!("`{text}` names no folder: add {key}=DIR").into()),
    }
}
