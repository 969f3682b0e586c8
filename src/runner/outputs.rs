//! Saves files of the workspace on this machine, before the workspace is removed.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use super::{OutputRequest, carrier::WORKSPACE_PATH, dispatch::Env};
use crate::ports::{EngineError, Resource, TarStream};

/// Saves all outputs that were asked for; what cannot be saved is told.
pub(super) async fn save(env: &Arc<Env>) {
    if env.job.outputs.is_empty() || env.is_resumed && !is_there(env).await {
        return;
    }
    for output in &env.job.outputs {
        if let Err(reason) = save_one(env, output).await {
            env.watcher
                .note(&format!("could not save {}: {reason}", output.source));
        }
    }
}

/// Says whether the workspace is still there: where a process has died while it removed things, all is saved, and to
/// name the volume again would make it again.
async fn is_there(env: &Arc<Env>) -> bool {
    let own = env.job.lasting_labels(env.ports.store.store_id());
    let volumes = env.ports.containers.list(Resource::Volume, &own).await;
    let wanted = env.shared.volumes.get(&env.job.shared_volume);
    volumes.is_ok_and(|found| found.iter().any(|it| Some(&it.name) == wanted))
}

/// Copies a path twice: to where the user wants it, and to where the run keeps it.
async fn save_one(env: &Arc<Env>, output: &OutputRequest) -> Result<(), String> {
    if env.shared.volumes.is_empty() {
        return Err("the run has no workspace: none of its steps is a cmd".to_owned());
    }
    let inner = inner_path(&output.source)?;
    let (tar, is_folder) = pack(env, &inner).await.map_err(|it| it.to_string())?;
    unpack(env, tar, &output.folder).await?;
    // Kept under its path in the workspace, so that outputs of the same name do not meet.
    let place = if is_folder {
        Some(inner.as_path())
    } else {
        inner.parent()
    };
    let kept = output.kept.join(place.unwrap_or(Path::new("")));
    let (tar, _) = pack(env, &inner).await.map_err(|it| it.to_string())?;
    unpack(env, tar, &kept).await
}

async fn unpack(env: &Arc<Env>, tar: TarStream, folder: &Path) -> Result<(), String> {
    let unpacked = env.ports.folders.unpack(tar, folder).await;
    unpacked.map_err(|error| error.to_string())
}

/// Packs what is in a folder, or else a file; says whether it is a folder.
async fn pack(env: &Arc<Env>, inner: &Path) -> Result<(TarStream, bool), EngineError> {
    let whole = Path::new(WORKSPACE_PATH).join(inner);
    let file = whole.to_string_lossy();
    let (ports, job, shared) = (&env.ports, &env.job, &env.shared);
    let contents = format!("{file}/.");
    match env.carrier.download(ports, job, shared, &contents).await {
        Ok(tar) => Ok((tar, true)),
        // Engines differ in how they say that it is no folder.
        Err(_) => {
            let tar = env.carrier.download(ports, job, shared, &file).await?;
            Ok((tar, false))
        }
    }
}

/// The path of an output inside the workspace; nothing outside can be named.
fn inner_path(source: &str) -> Result<PathBuf, String> {
    let whole = Path::new(WORKSPACE_PATH).join(source);
    let climbs = whole.components().any(|part| part == Component::ParentDir);
    match whole.strip_prefix(WORKSPACE_PATH) {
        Ok(inner) if !climbs => Ok(inner.components().collect()),
        Ok(_) | Err(_) => Err(format!("it is outside of {WORKSPACE_PATH}")),
    }
}

#[cfg(test)]
mod tests {
    use super::inner_path;
    use std::path::Path;

    #[test]
    fn an_output_is_a_path_of_the_workspace() {
        for (source, inner) in [
            ("out", "out"),
            ("./out/", "out"),
            ("/workspace/a/b", "a/b"),
            (".", ""),
            ("/workspace", ""),
        ] {
            assert_eq!(inner_path(source).unwrap(), Path::new(inner), "{source}");
        }
        for source in ["..", "a/../../etc", "/etc/passwd", "/workspaces"] {
            assert!(inner_path(source).is_err(), "{source}");
        }
    }
}
