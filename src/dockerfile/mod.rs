//! A Dockerfile as its builder reads it: which images it stands on, and where it names them.
//!
//! Stages, here-documents, continued lines, scopes and defaults of `ARG` count as they do for BuildKit. Nothing is
//! looked up: what is read are names, each with the bytes that hold it, so that it can be replaced by a digest.

mod arguments;
mod bases;
mod directives;
mod expand;
mod logical;
mod mask;
mod mounts;
mod pattern;
mod pin;
mod platform;
mod reach;
mod read;
mod variables;

pub use bases::{Base, Bases, Kind, SCRATCH};
pub use pin::{Pin, pin};

use crate::text::{Diagnostics, Span};

/// A word of the file, with the bytes that hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, continued lines joined.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

/// A Dockerfile, as far as it says what it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The image of `# syntax=`.
    syntax: Option<Word>,
    /// The character that escapes, `\` unless `# escape=` says otherwise.
    escape: char,
    /// Every `ARG` before the first `FROM`, in order.
    arguments: Vec<Argument>,
    /// The stages; at least one.
    stages: Vec<Stage>,
}

/// One name that an `ARG` declares.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Argument {
    name: String,
    default: Option<String>,
    /// The arguments of the whole instruction.
    span: Span,
}

/// A `FROM` with what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stage {
    name: Option<Word>,
    image: Word,
    platform: Option<Word>,
    /// What its own instructions take files from.
    sources: Vec<Source>,
    /// What the instructions after `ONBUILD` take files from; they run in a stage that begins with this one.
    triggers: Vec<Source>,
    /// The names that its own `ARG`s declare.
    arguments: Vec<String>,
}

/// A stage or image that files are taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    word: Word,
    kind: Kind,
}

/// What a build is told beside its Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Names and values of `--build-arg`.
    pub build_args: Vec<(String, String)>,
    /// The stage to stop at; `None` is the last.
    pub target: Option<String>,
    /// The platform that builds, such as `linux/amd64`.
    pub build_platform: String,
    /// The platform that is built for; `None` is the one that builds.
    pub platform: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            build_args: Vec::new(),
            target: None,
            build_platform: "linux/amd64".to_owned(),
            platform: None,
        }
    }
}

impl Dockerfile {
    /// Reads the text of a Dockerfile; `None` when a builder would refuse it.
    pub fn read(text: &str) -> (Option<Dockerfile>, Diagnostics) {
        read::read(text)
    }

    /// Finds the images that a build needs; `None` when it could not even begin.
    pub fn bases(&self, options: &Options) -> (Option<Bases>, Diagnostics) {
        reach::bases(self, options)
    }
}
