//! What a build may read and must not keep: `--secret`, and build arguments with secret values.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{
    Job,
    build_files::{BuildFiles, failed},
};
use crate::{
    ports::{BuildError, BuildRequest, BuildSecret},
    spec::{SecretSource, SecretUse, Step},
};

/// Reads the secrets of a build step: files of the workspace and of mounts, and variables of the step.
pub(super) fn secrets(
    files: &mut BuildFiles<'_>,
    step: &Step,
    uses: &[SecretUse],
) -> Result<Vec<BuildSecret>, BuildError> {
    let variable = |name: &str| step.env.iter().find(|var| var.name == name);
    let mut secrets = Vec::with_capacity(uses.len());
    for SecretUse { id, source } in uses {
        let content = match source {
            SecretSource::File(path) => files.read(path)?,
            SecretSource::Env(name) | SecretSource::EnvOrFile(name) => match variable(name) {
                Some(var) => var.value.clone().into_bytes(),
                None if matches!(source, SecretSource::EnvOrFile(_)) => files.read(name)?,
                None => return Err(failed(without_variable(id, name))),
            },
        };
        secrets.push(BuildSecret {
            id: id.clone(),
            value: Arc::new(content.into()),
        });
    }
    Ok(secrets)
}

fn without_variable(id: &str, name: &str) -> String {
    format!("--secret id={id},env={name}: the step's env has no {name}; add it there")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{EnvVar, Push, StepKind, Volume, VolumeMount};

    fn found(source: SecretSource) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "of workspace").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("out")).unwrap();
        let mut step = Step::plain(StepKind::Push(Push::default()));
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
        let uses = [SecretUse {
            id: "a".to_owned(),
            source,
        }];
        let mut files = BuildFiles::of(&step, &volumes, folder.path());
        let secrets = secrets(&mut files, &step, &uses).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(secrets[0].value.expose_secret()).into_owned())
    }

    #[test]
    fn a_secret_is_found_in_the_environment_a_volume_or_the_workspace() {
        let file = |path: &str| SecretSource::File(path.to_owned());
        let either = |name: &str| SecretSource::EnvOrFile(name.to_owned());
        for (source, expected) in [
            (SecretSource::Env("TOKEN".to_owned()), "of env"),
            (either("TOKEN"), "of env"),
            (either("file"), "of workspace"),
            (file("file"), "of workspace"),
            (file("/workspace/file"), "of workspace"),
            (file("/mnt/v/key"), "of volume"),
        ] {
            assert_eq!(found(source.clone()).as_deref(), Ok(expected), "{source:?}");
        }
    }

    #[test]
    fn what_cannot_be_found_is_named_and_nothing_outside_is_read() {
        let file = |path: &str| SecretSource::File(path.to_owned());
        for (source, reason) in [
            (SecretSource::Env("NONE".to_owned()), "has no NONE"),
            (file("nofile"), "nofile cannot be read"),
            (file("../etc/passwd"), "outside of /workspace"),
            (file("/etc/passwd"), "outside of /workspace"),
            (file("out"), "out leads outside"),
        ] {
            let error = found(source.clone()).expect_err(reason);
            assert!(error.contains(reason), "{source:?}: {error}");
        }
    }
}
