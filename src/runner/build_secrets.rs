//! What a build may read and must not keep: `--secret`, and build arguments with secret values.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::ExposeSecret;

use super::{Job, building::inside};
use crate::{
    ports::{BuildRequest, BuildSecret},
    spec::{Build, Step, Volume},
};

/// Where the secrets of a step are looked for.
pub(super) struct Places<'a> {
    /// The folder of this machine that is the workspace.
    pub workspace: &'a Path,
    /// The folder that relative paths begin in, as a path of the step.
    pub base: &'a str,
    /// The volumes of the task.
    pub volumes: &'a [Volume],
}

/// Finds the secrets of a build step, each by its `--secret`.
pub(super) fn secrets(
    build: &Build,
    step: &Step,
    places: &Places<'_>,
) -> Result<Vec<BuildSecret>, String> {
    let secret = |text: &String| {
        let Named { id, source } = Named::read(text)?;
        let value = match source {
            Source::Variable(name) => variable(step, name)
                .ok_or_else(|| format!("--secret {text}: the step's env has no {name}"))?,
            Source::File(path) => file(step, path, places)?,
            Source::Either => match variable(step, id) {
                Some(value) => value,
                None => file(step, id, places)?,
            },
        };
        Ok(BuildSecret {
            id: id.to_owned(),
            value: Arc::new(value.into()),
        })
    };
    build.secrets.iter().map(secret).collect()
}

/// Marks the build arguments whose values are secrets of the run, or contain one.
pub(super) fn mark_arguments(request: &mut BuildRequest, job: &Job) {
    let holds_secret = |value: &str| {
        let mut secrets = job.secrets.iter().map(ExposeSecret::expose_secret);
        secrets.any(|secret| !secret.is_empty() && value.contains(secret))
    };
    let marked = request
        .build_args
        .iter()
        .filter(|(_, value)| holds_secret(value));
    request.secret_args = marked.map(|(name, _)| name.clone()).collect();
}

/// The words of one `--secret`.
struct Named<'a> {
    id: &'a str,
    source: Source<'a>,
}

enum Source<'a> {
    Variable(&'a str),
    File(&'a str),
    /// The variable of that name, else the file.
    Either,
}

impl<'a> Named<'a> {
    fn read(text: &'a str) -> Result<Named<'a>, String> {
        let (mut id, mut file, mut name) = (None, None, None);
        for (key, value) in text.split(',').filter_map(|pair| pair.split_once('=')) {
            match key.trim() {
                "id" => id = Some(value),
                "src" | "source" => file = Some(value),
                "env" => name = Some(value),
                "type" if matches!(value, "file" | "env") => {}
                other => return Err(format!("--secret {text}: there is no {other}={value}")),
            }
        }
        let id = id.or(file).or(name).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| {
            format!("--secret {text} names no id: write id=NAME,src=FILE or id=NAME,env=VARIABLE")
        })?;
        let source = match (file, name) {
            (Some(_), Some(_)) => {
                return Err(format!("--secret {text} has both src and env: choose one"));
            }
            (Some(file), None) if text.contains("type=env") => Source::Variable(file),
            (Some(file), None) => Source::File(file),
            (None, Some(name)) => Source::Variable(name),
            (None, None) => Source::Either,
        };
        Ok(Named { id, source })
    }
}

fn variable(step: &Step, name: &str) -> Option<Vec<u8>> {
    let found = step.env.iter().find(|variable| variable.name == name);
    found.map(|variable| variable.value.clone().into_bytes())
}

/// Reads a file of a volume that the step mounts, else of the workspace.
fn file(step: &Step, path: &str, places: &Places<'_>) -> Result<Vec<u8>, String> {
    let whole = Path::new(places.base).join(path);
    for mount in &step.volume_mounts {
        let Ok(name) = whole.strip_prefix(&mount.mount_path) else {
            continue;
        };
        let mut volumes = places
            .volumes
            .iter()
            .filter(|volume| volume.name == mount.name);
        let files = volumes.next().map(|volume| &volume.files);
        if let Some((_, content)) = files
            .into_iter()
            .flatten()
            .find(|(file, _)| Path::new(file) == name)
        {
            return Ok(content.clone());
        }
    }
    let inner = inside(places.base, path)?;
    let missing = |error: std::io::Error| format!("--secret src={path}: {error}");
    let found = places
        .workspace
        .join(inner)
        .canonicalize()
        .map_err(missing)?;
    let root: PathBuf = places.workspace.canonicalize().map_err(missing)?;
    if !found.starts_with(root) {
        return Err(format!("--secret src={path} leads out of the workspace"));
    }
    std::fs::read(found).map_err(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{EnvVar, StepKind, VolumeMount};

    fn found(text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "of workspace").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("out")).unwrap();
        let build = Build {
            secrets: vec![text.to_owned()],
            ..Build::default()
        };
        let mut step = Step::plain(StepKind::Build(Box::new(build.clone())));
        step.env = vec![EnvVar {
            name: "TOKEN".to_owned(),
            value: "of env".to_owned(),
        }];
        step.volume_mounts = vec![VolumeMount {
            name: "v".to_owned(),
            mount_path: "/mnt/v".to_owned(),
        }];
        let volumes = [Volume {
            name: "v".to_owned(),
            files: vec![("key".to_owned(), b"of volume".to_vec())],
        }];
        let places = Places {
            workspace: folder.path(),
            base: "/workspace",
            volumes: &volumes,
        };
        let secrets = secrets(&build, &step, &places)?;
        let value = String::from_utf8_lossy(secrets[0].value.expose_secret()).into_owned();
        Ok(format!("{}: {value}", secrets[0].id))
    }

    #[test]
    fn a_secret_is_found_in_the_environment_a_volume_or_the_workspace() {
        for (text, expected) in [
            ("id=a,env=TOKEN", "a: of env"),
            ("id=TOKEN", "TOKEN: of env"),
            ("id=a,type=env,src=TOKEN", "a: of env"),
            ("id=a,src=file", "a: of workspace"),
            ("id=file", "file: of workspace"),
            ("src=/workspace/file", "/workspace/file: of workspace"),
            ("id=a,src=/mnt/v/key", "a: of volume"),
        ] {
            assert_eq!(found(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_found_is_named_and_nothing_outside_is_read() {
        for (text, reason) in [
            ("id=a,env=NONE", "has no NONE"),
            ("id=a,src=nofile", "src=nofile"),
            ("id=a,src=../etc/passwd", "outside of /workspace"),
            ("id=a,src=/etc/passwd", "outside of /workspace"),
            ("id=a,src=out", "leads out"),
            ("id=a,src=b,env=c", "choose one"),
            ("id=a,what=b", "there is no what=b"),
            ("", "names no id"),
        ] {
            let error = found(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
