//! `careen image copy`.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::{CliError, Context};
use crate::{
    app::{CopyRequest, CopyWatcher, Moved},
    spec::reference::Reference,
};

/// The options of `careen image copy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image, by tag or digest
    #[arg(value_name = "SRC")]
    source: String,
    /// Where to; without a tag it gets the source's. More than one copies to each
    #[arg(value_name = "DST", required = true)]
    targets: Vec<String>,
    /// Copy one platform of an index, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
}

/// Copies an image to one or more places, one after the other.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let logins = context.logins()?;
    let source = reference(&args.source)?.with_default_tag();
    let targets: Vec<Reference> = args
        .targets
        .iter()
        .map(|it| reference(it))
        .collect::<Result<_, _>>()?;
    let app = context.app().await?;
    let mut shown = Vec::new();
    for target in targets {
        let request = CopyRequest {
            source: source.clone(),
            target,
            platform: args.platform.clone(),
        };
        let progress = Progress::new(context.globals.quiet || context.globals.json);
        let copied = app.copy_image(&request, &logins, &progress).await;
        let (counts, sent) = progress.end();
        let copied = copied?;
        shown.push(json!({
            "image": copied.image,
            "digest": copied.digest,
            "blobs": counts,
            "bytesSent": sent,
        }));
        if context.globals.quiet {
            anstream::println!("{}", copied.digest);
        } else if !context.globals.json {
            anstream::println!(
                "{}: {}, {} sent",
                copied.image,
                copied.digest,
                HumanBytes(sent)
            );
        }
    }
    if context.globals.json {
        context.print_json(&shown.into());
    }
    Ok(ExitCode::SUCCESS)
}

fn reference(text: &str) -> Result<Reference, CliError> {
    Reference::parse(text).map_err(|error| {
        CliError::usage(
            format!("{text}: {error}"),
            "Write HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST",
        )
    })
}

/// A bar of bytes on a terminal, and the counts for the end.
struct Progress {
    bar: ProgressBar,
    present: AtomicU64,
    mounted: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Progress {
    fn new(is_hidden: bool) -> Progress {
        let bar = match is_hidden {
            true => ProgressBar::hidden(),
            false => ProgressBar::new(0),
        };
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec}");
        bar.set_style(style.expect("a template that is always fine"));
        Progress {
            bar,
            present: AtomicU64::new(0),
            mounted: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
        }
    }

    /// Takes the bar away; says how many blobs went which way, and how many bytes were sent.
    fn end(&self) -> (serde_json::Value, u64) {
        self.bar.finish_and_clear();
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = json!({
            "present": of(&self.present),
            "mounted": of(&self.mounted),
            "sent": of(&self.sent),
        });
        (counts, of(&self.sent_bytes))
    }
}

impl CopyWatcher for Progress {
    fn expects(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    fn sent(&self, bytes: i64) {
        match bytes {
            0.. => self.bar.inc(bytes.unsigned_abs()),
            _ => self.bar.dec(bytes.unsigned_abs()),
        }
    }

    fn blob(&self, _digest: &str, size_bytes: u64, how: Moved) {
        let count = match how {
            Moved::Present => &self.present,
            Moved::Mounted => &self.mounted,
            Moved::Sent => &self.sent,
        };
        count.fetch_add(1, Ordering::Relaxed);
        match how {
            Moved::Sent => drop(self.sent_bytes.fetch_add(size_bytes, Ordering::Relaxed)),
            Moved::Present | Moved::Mounted => self.bar.inc(size_bytes),
        }
    }
}
