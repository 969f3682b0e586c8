//! Where a build finds its files: the workspace, and the volumes that its step mounts.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use tempfile::TempDir;

use super::{carrier::WORKSPACE_PATH, dispatch::Env, logging::LogSink};
use crate::{
    ports::{BuildError, EngineError},
    spec::{Step, Volume},
};

/// No file that a build is told of by name is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// The files of one build, on this machine as long as this value lives.
pub(super) struct BuildFiles<'a> {
    step: &'a Step,
    volumes: &'a [Volume],
    workspace: Root,
    /// The volumes that were unpacked, by name.
    unpacked: Vec<(String, TempDir)>,
}

/// Where the workspace's files are.
enum Root {
    Context(PathBuf),
    Copy(TempDir),
}

/// A path that a build names.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Workspace(PathBuf),
    Volume(&'a str, PathBuf),
}

impl<'a> BuildFiles<'a> {
    /// Opens the workspace: the context itself while no container has run; after that a copy, for steps may have
    /// written.
    pub async fn open(
        env: &'a Arc<Env>,
        step: &'a Step,
        sink: &LogSink,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            step,
            volumes: env.job.plan.volumes(),
            workspace: root(env, sink).await?,
            unpacked: Vec::new(),
        })
    }

    /// Takes a folder for the workspace.
    #[cfg(test)]
    pub fn of(step: &'a Step, volumes: &'a [Volume], workspace: &Path) -> Self {
        Self {
            step,
            volumes,
            workspace: Root::Context(workspace.to_owned()),
            unpacked: Vec::new(),
        }
    }

    /// Finds a path that the build names, on this machine; nothing outside of workspace and mounts can be named.
    pub fn path(&mut self, named: &str) -> Result<PathBuf, BuildError> {
        match place(self.step, named).map_err(failed)? {
            Place::Workspace(inner) => Ok(self.workspace.path().join(inner)),
            Place::Volume(name, inner) => Ok(self.volume(name)?.join(inner)),
        }
    }

    /// Reads a small file that the build names; links must not lead out of where it lies.
    pub fn read(&mut self, named: &str) -> Result<Vec<u8>, BuildError> {
        let path = self.path(named)?;
        let unreadable = |error: std::io::Error| failed(format!("{named} cannot be read: {error}"));
        let resolved = fs::canonicalize(&path).map_err(unreadable)?;
        let mut roots = self.unpacked.iter().map(|(_, folder)| folder.path());
        let is_inside =
            |root: &Path| fs::canonicalize(root).is_ok_and(|it| resolved.starts_with(it));
        if !is_inside(self.workspace.path()) && !roots.any(is_inside) {
            return Err(failed(format!("{named} leads outside of {WORKSPACE_PATH}")));
        }
        let size = fs::metadata(&resolved).map_err(unreadable)?.len();
        if size > LARGEST {
            return Err(failed(format!("{named} is larger than {LARGEST} bytes")));
        }
        fs::read(resolved).map_err(unreadable)
    }

    /// Unpacks a volume as it was declared, once.
    fn volume(&mut self, name: &str) -> Result<PathBuf, BuildError> {
        if let Some((_, folder)) = self.unpacked.iter().find(|(known, _)| known == name) {
            return Ok(folder.path().to_owned());
        }
        let ours = |error: std::io::Error| {
            EngineError::Other(format!("no temporary folder for volume {name}: {error}"))
        };
        let folder = tempfile::tempdir().map_err(ours)?;
        let files = self.volumes.iter().find(|volume| volume.name == name);
        for (file, content) in files.iter().flat_map(|volume| &volume.files) {
            fs::write(folder.path().join(file), content).map_err(ours)?;
        }
        let path = folder.path().to_owned();
        self.unpacked.push((name.to_owned(), folder));
        Ok(path)
    }
}

impl Root {
    fn path(&self) -> &Path {
        match self {
            Root::Context(path) => path,
            Root::Copy(folder) => folder.path(),
        }
    }
}

async fn root(env: &Arc<Env>, sink: &LogSink) -> Result<Root, BuildError> {
    let has_workspace = !env.shared.volumes.is_empty();
    if let Some(context) = &env.job.context
        && (!has_workspace || env.is_pristine.load(Ordering::Acquire))
    {
        return Ok(Root::Context(context.clone()));
    }
    env.files.passed().await?;
    let folder = tempfile::tempdir()
        .map_err(|error| EngineError::Other(format!("no temporary folder: {error}")))?;
    if has_workspace {
        sink.say("Reading the build context from the workspace");
        let whole = format!("{WORKSPACE_PATH}/.");
        let (ports, shared) = (&env.ports, &env.shared);
        let tar = env.carrier.download(ports, &env.job, shared, &whole);
        let unpacked = ports.folders.unpack(tar.await?, folder.path()).await;
        unpacked.map_err(|error| EngineError::Other(error.to_string()))?;
    }
    Ok(Root::Copy(folder))
}

/// Makes an error that is the user's to mend.
pub(super) fn failed(message: String) -> BuildError {
    BuildError::Failed {
        message,
        exit_code: None,
    }
}

/// Finds where a path lies, relative to the step's working directory; of nested mounts the innermost counts.
fn place<'s>(step: &'s Step, path: &str) -> Result<Place<'s>, String> {
    if path == "-" || path.contains("://") || path.starts_with("git@") {
        return Err(format!(
            "the build context {path} is not a folder of the workspace; contexts from elsewhere are not supported here yet"
        ));
    }
    let base = step.working_directory.as_deref().unwrap_or(WORKSPACE_PATH);
    let whole = cleaned(&Path::new(base).join(path)).ok_or_else(|| outside(path))?;
    let mounts = step.volume_mounts.iter().filter_map(|mount| {
        let at = cleaned(Path::new(&mount.mount_path))?;
        let inner = whole.strip_prefix(&at).ok()?;
        Some((at.components().count(), mount, inner.to_owned()))
    });
    let workspace = whole.strip_prefix("workspace");
    match mounts.max_by_key(|(depth, ..)| *depth) {
        Some((_, mount, inner)) => Ok(Place::Volume(&mount.name, inner)),
        None => workspace
            .map(|inner| Place::Workspace(inner.to_owned()))
            .map_err(|_| outside(path)),
    }
}

/// Takes `.` and `..` out of an absolute path, and its leading slash; `None` when it leaves the root.
fn cleaned(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::Normal(name) => clean.push(name),
            Component::ParentDir if clean.pop() => {}
            Component::ParentDir => return None,
        }
    }
    Some(clean)
}

fn outside(path: &str) -> String {
    format!("{path} is outside of {WORKSPACE_PATH}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Push, StepKind, VolumeMount};

    fn step(base: &str, mounts: &[(&str, &str)]) -> Step {
        let mount = |(name, path): &(&str, &str)| VolumeMount {
            name: (*name).to_owned(),
            mount_path: (*path).to_owned(),
        };
        Step {
            working_directory: Some(base.to_owned()),
            volume_mounts: mounts.iter().map(mount).collect(),
            ..Step::plain(StepKind::Push(Push::default()))
        }
    }

    #[test]
    fn a_path_never_leaves_the_workspace() {
        for (base, path, inner) in [
            ("/workspace", ".", Some("")),
            ("/workspace/sub", "..", Some("")),
            ("/workspace/sub", "a/../b", Some("sub/b")),
            ("/", "/workspace/x", Some("x")),
            ("/workspace", "../etc", None),
            ("/workspace", "/etc", None),
            ("/", "../../..", None),
            ("/workspace", "-", None),
            ("/workspace", "https://example.com/a.git", None),
        ] {
            let expected = inner.map(|inner| Place::Workspace(inner.into()));
            assert_eq!(
                place(&step(base, &[]), path).ok(),
                expected,
                "{base} {path}"
            );
        }
    }

    #[test]
    fn the_innermost_mount_holds_what_lies_below_it() {
        let mounts = [
            ("keys", "/run/keys"),
            ("inner", "/run/keys/more"),
            ("own", "/workspace/own/"),
        ];
        let step = step("/workspace/sub", &mounts);
        for (path, volume, inner) in [
            ("/run/keys/token", "keys", "token"),
            ("/run/keys/more/a", "inner", "a"),
            ("/run/keys/more/../b", "keys", "b"),
            ("../own/x", "own", "x"),
            ("/run/keys", "keys", ""),
        ] {
            let expected = Place::Volume(volume, inner.into());
            assert_eq!(place(&step, path), Ok(expected), "{path}");
        }
        assert!(place(&step, "/run/keys2").is_err());
    }
}
