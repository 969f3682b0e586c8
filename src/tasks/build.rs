//! The task that a single build stands for: one step that builds, one that pushes.

use super::ImageBuild;
use crate::spec::{reference::Reference, values::shell_quoted};

/// How long a build may take, in seconds, as in ACR.
const BUILD_TIMEOUT_SECONDS: u32 = 28_800;
/// How long a push may take, in seconds, as in ACR.
const PUSH_TIMEOUT_SECONDS: u32 = 3_600;
/// Images of this kind keep their name in ACR, whatever the registry.
const LIBRARY: &str = "library/";

/// A build of one image, as `careen build` and stored tasks ask for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildTask {
    /// The Dockerfile, relative to the context.
    pub dockerfile: String,
    /// The image's names.
    pub images: Vec<String>,
    /// Build arguments, `NAME=VALUE`.
    pub arguments: Vec<String>,
    /// Labels, `NAME=VALUE`.
    pub labels: Vec<String>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// The platform to build for.
    pub platform: Option<String>,
    /// Whether to take nothing from the cache.
    pub no_cache: bool,
    /// Whether to look for newer bases.
    pub pull: bool,
    /// Whether to push.
    pub push: bool,
    /// More words of the docker build, before its context.
    pub more: Vec<String>,
    /// More lines of the build step.
    pub more_lines: String,
}

impl BuildTask {
    /// The build that a stored task asks for.
    pub fn of(build: &ImageBuild, registry: Option<&str>, platform: Option<&str>) -> Self {
        Self {
            dockerfile: build.dockerfile.clone(),
            arguments: build
                .arguments
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            target: build.target.clone(),
            platform: platform.map(str::to_owned),
            no_cache: build.no_cache,
            push: build.push,
            ..Self::default()
        }
        .named(&build.images, registry)
    }

    /// Gives the image its names, with the registry in front of those that have none.
    pub fn named(mut self, images: &[String], registry: Option<&str>) -> Self {
        self.images = images.iter().map(|it| prefixed(it, registry)).collect();
        self
    }

    /// The names that are pushed: those with a registry.
    pub fn pushed(&self) -> Vec<&String> {
        let named = self.images.iter().filter(|image| names_registry(image));
        named.filter(|_| self.push).collect()
    }
}

/// Writes the steps down as a task. Version 1.0 has no aliases, so that a `$` in a build argument stays one.
pub fn build_task(build: &BuildTask) -> String {
    let words = serde_json::Value::from(words(build).join(" "));
    let mut text = format!(
        "version: v1.0.0\nsteps:\n  - id: build\n    build: {words}\n    timeout: {BUILD_TIMEOUT_SECONDS}\n"
    );
    text.push_str(&build.more_lines);
    let pushed = build.pushed();
    if !pushed.is_empty() {
        let pushed = serde_json::json!(pushed);
        text.push_str(&format!(
            "  - id: push\n    push: {pushed}\n    timeout: {PUSH_TIMEOUT_SECONDS}\n"
        ));
    }
    text
}

/// The words of the docker build that is asked for, in the order that ACR writes them.
fn words(build: &BuildTask) -> Vec<String> {
    let mut words = Vec::new();
    let mut flag = |name: &str, value: Option<&str>| {
        words.push(name.to_owned());
        words.extend(value.map(shell_quoted));
    };
    if build.pull {
        flag("--pull", None);
    }
    for label in &build.labels {
        flag("--label", Some(label));
    }
    if build.no_cache {
        flag("--no-cache", None);
    }
    flag("-f", Some(&build.dockerfile));
    for image in &build.images {
        flag("-t", Some(image));
    }
    for argument in &build.arguments {
        flag("--build-arg", Some(argument));
    }
    if let Some(target) = &build.target {
        flag("--target", Some(target));
    }
    if let Some(platform) = &build.platform {
        flag("--platform", Some(platform));
    }
    words.extend(build.more.iter().map(|word| shell_quoted(word)));
    words.push(".".to_owned());
    words
}

/// Puts the registry in front of a name that has none.
fn prefixed(image: &str, registry: Option<&str>) -> String {
    match registry {
        Some(registry) if !names_registry(image) && !image.starts_with(LIBRARY) => {
            format!("{registry}/{image}")
        }
        _ => image.to_owned(),
    }
}

/// Says whether a name begins with a registry's host.
fn names_registry(image: &str) -> bool {
    Reference::parse(image).is_ok_and(|parsed| {
        image
            .strip_prefix(&parsed.domain)
            .is_some_and(|it| it.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::{names_registry, prefixed};

    #[test]
    fn a_registry_is_put_before_names_that_have_none() {
        for (image, want) in [
            ("app:1", "r.io/app:1"),
            ("team/app", "r.io/team/app"),
            ("r.io/app", "r.io/app"),
            ("localhost:5000/app", "localhost:5000/app"),
            ("library/app", "library/app"),
        ] {
            assert_eq!(prefixed(image, Some("r.io")), want);
        }
        assert_eq!(prefixed("app", None), "app");
    }

    #[test]
    fn only_names_with_a_host_name_a_registry() {
        for image in ["r.io/a", "localhost:5000/a", "docker.io/library/a"] {
            assert!(names_registry(image), "{image}");
        }
        for image in ["a", "team/a", "library/a"] {
            assert!(!names_registry(image), "{image}");
        }
    }
}
