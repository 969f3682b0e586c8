//! The contexts of builds: folders of the workspace, or what is opened from elsewhere.

use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::{carrier::WORKSPACE_PATH, dispatch::Env, logging::LogSink};
use crate::{
    plan::Plan,
    ports::{BuildError, BuildFiles, EngineError, OpenError, OpenFault, Opened, Pin},
    spec::{
        Build, Step, StepKind,
        context::{self, ContextRef},
    },
};

/// The Dockerfile of a build that names none.
const DOCKERFILE: &str = "Dockerfile";
const ASKED: &str = "asked";
const FOUND: &str = "found";

/// Opens the context of a build if it is elsewhere: what an earlier run recorded for it, or what it stands for now.
pub(super) async fn opened(
    env: &Env,
    build: &Build,
    sink: &LogSink,
) -> Result<Option<Opened>, BuildError> {
    let written = context::read(&build.context).map_err(|error| failed(error.to_string()))?;
    match &written.context {
        ContextRef::Folder(_) | ContextRef::Nothing => return Ok(None),
        ContextRef::Stdin => return Err(failed("a run has no standard input".to_owned())),
        ContextRef::Git(_) | ContextRef::Archive(_) | ContextRef::Artifact(_) => {}
    }
    let name = written.context.to_string();
    sink.say(&format!("Getting the context {name}"));
    let mut access = env.job.access.clone();
    // A task file must not send a login to hosts of its choice.
    let is_for_it = access.login_host == written.context.host();
    access.login = written.login.or(access.login.filter(|_| is_for_it));
    access.query = written.query;
    let contexts = &env.ports.contexts;
    let opened = match env.job.pins.get(&name) {
        Some(pin) => contexts.reopen(pin, &access).await,
        None => contexts.open(&written.context, &access).await,
    };
    let opened = opened.map_err(not_opened)?;
    for remark in &opened.remarks {
        sink.say(remark);
    }
    Ok(Some(opened))
}

/// Adds to what is recorded of an image where its context came from, so that a rerun takes the same.
pub(super) fn with_source(mut images: Value, build: &Build, opened: Option<&Opened>) -> Value {
    if let (Some(image), Some(opened)) = (images.get_mut(0), opened) {
        let asked = context::read(&build.context).map(|it| it.context.to_string());
        image["context"] = json!({ ASKED: asked.unwrap_or_default(), FOUND: opened.pin });
    }
    images
}

/// Reads what an earlier run recorded of its builds' contexts, from what it recorded of a step's images.
pub fn recorded_pins(images: &Value) -> impl Iterator<Item = (String, Pin)> {
    let images = images.as_array().into_iter().flatten();
    images.filter_map(|image| {
        let asked = image["context"][ASKED].as_str()?.to_owned();
        let pin = serde_json::from_value(image["context"][FOUND].clone());
        Some((asked, pin.ok()?))
    })
}

/// The context's folder and its Dockerfile, neither of which a link may put outside.
pub(super) fn files_of(opened: &Opened, build: &Build) -> Result<(PathBuf, PathBuf), BuildError> {
    let context = opened.folder.join(&opened.directory);
    let file = build.dockerfile.as_deref().unwrap_or(DOCKERFILE);
    let dockerfile = context.join(file);
    let is_outside = |path: &Path| {
        let root = opened.folder.canonicalize();
        let path = path.canonicalize();
        matches!((path, root), (Ok(path), Ok(root)) if !path.starts_with(&root))
    };
    match is_outside(&dockerfile) {
        true => Err(failed(format!("{file} leads out of the context"))),
        false => Ok((context, dockerfile)),
    }
}

/// A context that cannot be had is the user's to mend, unless a network or a machine is at fault.
fn not_opened(error: OpenError) -> BuildError {
    let hint = match error.hint.is_empty() {
        true => String::new(),
        false => format!(". {}", error.hint),
    };
    match error.fault {
        OpenFault::Machine => EngineError::Other(error.to_string()).into(),
        _ => failed(format!("{error}{hint}")),
    }
}

fn failed(message: String) -> BuildError {
    BuildError::Failed {
        message,
        exit_code: None,
    }
}

/// Lists what the plan's builds read of the context folder.
pub fn local_builds(plan: &Plan) -> Vec<BuildFiles> {
    let steps = plan.steps().iter();
    let found = steps.filter_map(|step| match &step.kind {
        StepKind::Build(build) if !context::is_elsewhere(&build.context) => {
            workspace_files(step, build).ok()
        }
        _ => None,
    });
    found.collect()
}

/// What a build reads of the context folder; nothing when its context is elsewhere or leads out of it.
pub fn local_build(step: &Step, build: &Build) -> Option<BuildFiles> {
    let is_here = !context::is_elsewhere(&build.context);
    is_here.then(|| workspace_files(step, build).ok()).flatten()
}

/// Finds context and Dockerfile of a build in the workspace, relative to its root.
fn workspace_files(step: &Step, build: &Build) -> Result<BuildFiles, String> {
    let base = step.working_directory.as_deref().unwrap_or(WORKSPACE_PATH);
    let context = inside(base, &build.context)?;
    let dockerfile = match &build.dockerfile {
        Some(file) => inside(base, file)?,
        None => context.join(DOCKERFILE),
    };
    Ok(BuildFiles {
        context,
        dockerfile,
    })
}

/// Finds a path of the workspace, relative to its root; nothing outside can be named.
fn inside(base: &str, path: &str) -> Result<PathBuf, String> {
    let mut inner = PathBuf::new();
    let whole = Path::new(base).join(path);
    for part in whole.components() {
        match part {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::Normal(name) => inner.push(name),
            Component::ParentDir if inner.pop() => {}
            Component::ParentDir => return Err(outside(path)),
        }
    }
    inner
        .strip_prefix("workspace")
        .map(Path::to_path_buf)
        .map_err(|_| outside(path))
}

fn outside(path: &str) -> String {
    format!("{path} is outside of {WORKSPACE_PATH}")
}

#[cfg(test)]
mod tests {
    use super::inside;
    use std::path::Path;

    #[test]
    fn a_path_never_leaves_the_workspace() {
        let ok = |base, path, want: &str| assert_eq!(inside(base, path).unwrap(), Path::new(want));
        ok("/workspace", ".", "");
        ok("/workspace/sub", "..", "");
        ok("/workspace/sub", "a/../b", "sub/b");
        ok("/", "/workspace/x", "x");
        for (base, path) in [
            ("/workspace", "../etc"),
            ("/workspace", "/etc"),
            ("/", "../../.."),
        ] {
            assert!(inside(base, path).is_err(), "{base} {path}");
        }
    }
}
