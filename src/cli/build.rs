//! `careen build`: builds one image from a folder and pushes it where its names say.

use std::process::ExitCode;

use super::{
    CliError, Context,
    build_secrets::Hidden,
    contexts,
    request::{Given, RunOptions},
    run::{Terms, say_swept, show},
};
use crate::spec::{reference::Reference, values::shell_quoted};

/// How long a build may take, in seconds, as in ACR.
const BUILD_TIMEOUT_SECONDS: u32 = 28_800;
/// How long a push may take, in seconds, as in ACR.
const PUSH_TIMEOUT_SECONDS: u32 = 3_600;
/// Images of this kind keep their name in ACR, whatever the registry.
const LIBRARY: &str = "library/";

/// The options of `careen build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The context: a folder, a git repository (URL#REF:DIR), the address of an archive, oci://IMAGE, or - for an archive or
    /// a Dockerfile on standard input
    #[arg(value_name = "CONTEXT", default_value = ".")]
    context: String,
    /// A name for the image; with a registry set, it is pushed there
    #[arg(short = 't', long = "image", alias = "tag", value_name = "NAME")]
    images: Vec<String>,
    /// The Dockerfile, relative to the context
    #[arg(short, long, value_name = "FILE", default_value = "Dockerfile")]
    file: String,
    /// Set an ARG; NAME alone takes it from the variable of that name
    #[arg(long, value_name = "NAME[=VALUE]")]
    build_arg: Vec<String>,
    /// Set an ARG that stays out of the image's history; NAME alone takes the variable of that name
    #[arg(long, value_name = "NAME[=VALUE]")]
    secret_build_arg: Vec<String>,
    /// A secret for RUN --mount=type=secret, from a file or variable of this machine
    #[arg(long, value_name = "id=ID,src=FILE|env=NAME")]
    secret: Vec<String>,
    /// Stop at this stage
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Build for this platform
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// Take nothing from the cache
    #[arg(long)]
    no_cache: bool,
    /// Look for newer bases in their registry
    #[arg(long)]
    pull: bool,
    /// A label for the image
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<String>,
    /// Push nothing
    #[arg(long)]
    no_push: bool,
    #[command(flatten)]
    run: RunOptions,
}

/// Builds, and pushes what has a registry in its name; a two-step run like any other.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let registry = args.run.registry.clone();
    let registry = registry.or_else(|| context.settings.registry.value.clone());
    let images: Vec<String> = args
        .images
        .iter()
        .map(|image| prefixed(image, registry.as_deref()))
        .collect();
    let pushed: Vec<&String> = images
        .iter()
        .filter(|image| !args.no_push && names_registry(image))
        .collect();
    if pushed.is_empty() && !context.globals.quiet && !args.no_push {
        anstream::eprintln!(
            "no image name has a registry: the image stays on the engine, nothing is pushed"
        );
    }
    let terms = Terms::of(context)?;
    let app = context.app().await?;
    say_swept(context, &app).await;
    let mut hidden = Hidden::read(&args.secret_build_arg, &args.secret)?;
    let source = contexts::open(context, &app, (&args.context, &args.run)).await?;
    hidden.secrets.context = source.secrets.clone();
    let given = Given {
        file: format!("build of {}", args.file),
        text: task(&args, &images, &pushed, &hidden),
        source,
        values: serde_json::Map::new(),
        strict: false,
    };
    let request = args.run.request(context, &app, given).await?;
    terms.heed_signals();
    let queued = app.queue(request, hidden.secrets, None).await?;
    show(context, &app, queued, terms).await
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

/// Writes the two steps down as a task. Version 1.0 has no aliases, so that a `$` in a build argument stays one.
fn task(args: &Args, images: &[String], pushed: &[&String], hidden: &Hidden) -> String {
    let mut words = words(args, images);
    words.extend(hidden.words.iter().map(|word| shell_quoted(word)));
    words.push(".".to_owned());
    let build = serde_json::Value::from(words.join(" "));
    let mut text = format!(
        "version: v1.0.0\nsteps:\n  - id: build\n    build: {build}\n    timeout: {BUILD_TIMEOUT_SECONDS}\n"
    );
    text.push_str(&hidden.environment());
    if !pushed.is_empty() {
        let pushed = serde_json::json!(pushed);
        text.push_str(&format!(
            "  - id: push\n    push: {pushed}\n    timeout: {PUSH_TIMEOUT_SECONDS}\n"
        ));
    }
    text
}

/// The words of the docker build that is asked for, in the order that ACR writes them.
fn words(args: &Args, images: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    let mut flag = |name: &str, value: Option<&str>| {
        words.push(name.to_owned());
        words.extend(value.map(shell_quoted));
    };
    if args.pull {
        flag("--pull", None);
    }
    for label in &args.label {
        flag("--label", Some(label));
    }
    if args.no_cache {
        flag("--no-cache", None);
    }
    flag("-f", Some(&args.file));
    for image in images {
        flag("-t", Some(image));
    }
    for argument in &args.build_arg {
        let value = if argument.contains('=') {
            argument.clone()
        } else {
            let value = std::env::var(argument).unwrap_or_default();
            format!("{argument}={value}")
        };
        flag("--build-arg", Some(&value));
    }
    if let Some(target) = &args.target {
        flag("--target", Some(target));
    }
    if let Some(platform) = &args.platform {
        flag("--platform", Some(platform));
    }
    words
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
