//! `careen scan`: says which images a Dockerfile stands on.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use comfy_table::{Table, presets};
use serde_json::json;

use super::{CliError, Context, contexts::context_folder, request::architecture};
use crate::{
    app::{ScanRequest, Scanned},
    dockerfile::Options,
    runner::Digest,
    text::{Source, render},
};

/// The options of `careen scan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The context: a folder of this machine
    #[arg(value_name = "CONTEXT", default_value = ".")]
    context: String,
    /// The Dockerfile, looked for in the context and then here; - is standard input
    #[arg(short, long, value_name = "FILE", default_value = "Dockerfile")]
    file: String,
    /// A name that the image would get
    #[arg(short = 't', long = "image", alias = "tag", value_name = "NAME")]
    images: Vec<String>,
    /// Set an ARG; NAME alone takes it from the variable of that name
    #[arg(long, value_name = "NAME[=VALUE]")]
    build_arg: Vec<String>,
    /// Stop at this stage
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Build for this platform
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
}

/// Prints what the build would need; runs nothing.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let folder = context_folder(&args.context)?;
    let (file, text) = dockerfile(&args.file, folder.as_deref())?;
    let app = context.passing_app()?;
    let git = folder.and_then(|folder| app.ports.folders.git(&folder));
    let request = ScanRequest {
        options: args.options(),
        tags: args.images,
        head_revision: git.map(|it| it.commit).unwrap_or_default(),
        file,
        text,
    };
    let scanned = app.scan(&request, &context.logins()?).await?;
    if !context.globals.quiet {
        let styled = std::io::stderr().is_terminal();
        let source = Source {
            name: &request.file,
            text: &request.text,
        };
        anstream::eprint!("{}", render(&source, &scanned.warnings, styled));
    }
    if context.globals.json {
        context.print_json(&json!(scanned.record));
    } else {
        print_table(&scanned);
    }
    if !context.globals.quiet {
        say_unknown(&scanned);
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn options(&self) -> Options {
        let pair = |word: &String| match word.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => Some((word.clone(), std::env::var(word).ok()?)),
        };
        Options {
            build_args: self.build_arg.iter().filter_map(pair).collect(),
            target: self.target.clone().filter(|stage| !stage.is_empty()),
            build_platform: format!("linux/{}", architecture()),
            platform: self.platform.clone(),
        }
    }
}

/// Reads the file under the name by which it is spoken of.
fn dockerfile(name: &str, folder: Option<&Path>) -> Result<(String, String), CliError> {
    let unreadable = |error: std::io::Error| {
        let hint =
            "Name it with -f; it is looked for in the context and then in the present folder";
        CliError::usage(format!("cannot read the Dockerfile {name}: {error}"), hint)
    };
    let mut bytes = Vec::new();
    if name == "-" {
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(unreadable)?;
        return Ok(("standard input".to_owned(), words(name, bytes)?));
    }
    let inner = folder.map(|folder| folder.join(name));
    let path = inner
        .filter(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(name));
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    Ok((path.display().to_string(), words(name, bytes)?))
}

fn words(name: &str, bytes: Vec<u8>) -> Result<String, CliError> {
    let wrong = |_| CliError::usage(format!("the Dockerfile {name} is not UTF-8 text"), "");
    String::from_utf8(bytes).map_err(wrong)
}

fn print_table(scanned: &Scanned) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["IMAGE", "USE", "PLATFORM", "DIGEST", "FROM"]);
    for (image, digest) in &scanned.images {
        let (shown, source) = match digest {
            Digest::Written(digest) => (digest.as_str(), "the Dockerfile"),
            Digest::Registry(digest) => (digest.as_str(), "its registry"),
            Digest::Engine(digest) => (digest.as_str(), "the engine"),
            Digest::Unknown(_) => ("unknown", ""),
        };
        table.add_row([
            image.reference.familiar().as_str(),
            if image.is_runtime {
                "runtime"
            } else {
                image.kind.word()
            },
            image.platform.as_deref().unwrap_or_default(),
            shown,
            source,
        ]);
    }
    if scanned.images.is_empty() {
        anstream::println!("nothing: the image begins with scratch");
    } else {
        anstream::println!("{}", table.trim_fmt());
    }
}

/// Says why digests are not known.
fn say_unknown(scanned: &Scanned) {
    for (image, digest) in &scanned.images {
        if let Digest::Unknown(reason) = digest {
            anstream::eprintln!("the digest of {} is not known: {reason}", image.written);
        }
    }
}
