//! `careen build`: builds one image from a folder and pushes it where its names say.

use std::process::ExitCode;

use super::{
    CliError, Context,
    build_file::BuildFile,
    build_secrets::Hidden,
    contexts, remote,
    request::{Given, RunOptions},
    run::{Terms, say_swept, show},
};
use crate::tasks::{BuildTask, build_task};

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
    /// The Dockerfile, relative to the context, or - for standard input
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
    let build = wish(&args).named(&args.images, registry.as_deref());
    if build.pushed().is_empty() && !context.globals.quiet && !args.no_push {
        anstream::eprintln!(
            "no image name has a registry: the image stays on the engine, nothing is pushed"
        );
    }
    let terms = Terms::of(context)?;
    let app = context.app().await?;
    let mut hidden = Hidden::read(&args.secret_build_arg, &args.secret)?;
    let source = contexts::open(context, &app, (&args.context, &args.run)).await?;
    hidden.secrets.context = source.secrets.clone();
    let file = BuildFile::read(&args.file)?;
    let text = build_task(&BuildTask {
        dockerfile: file.path.clone(),
        more: hidden.words.clone(),
        more_lines: hidden.environment() + &file.mounts(),
        ..build
    });
    let given = Given {
        file: format!("build of {}", args.file),
        text: text + &file.volumes(),
        source,
        values: serde_json::Map::new(),
        strict: false,
    };
    let request = args.run.request(context, &app, given).await?;
    if let Some(client) = context.client()? {
        let asked = (request, hidden.secrets);
        return remote::run(context, &client, &app, asked, false).await;
    }
    say_swept(context, &app).await;
    terms.heed_signals();
    let queued = app.queue(request, hidden.secrets, None).await?;
    show(context, &app, queued, terms).await
}

/// What the options ask to be built.
fn wish(args: &Args) -> BuildTask {
    let argument = |word: &String| match word.contains('=') {
        true => word.clone(),
        false => format!("{word}={}", std::env::var(word).unwrap_or_default()),
    };
    BuildTask {
        dockerfile: args.file.clone(),
        arguments: args.build_arg.iter().map(argument).collect(),
        labels: args.label.clone(),
        target: args.target.clone(),
        platform: args.platform.clone(),
        no_cache: args.no_cache,
        pull: args.pull,
        push: !args.no_push,
        ..BuildTask::default()
    }
}
