//! What a build stands on.

use crate::text::Span;

/// The name of the image without anything in it, which no registry has.
pub const SCRATCH: &str = "scratch";

/// What an image is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `FROM image`
    From,
    /// `COPY --from=image`
    Copy,
    /// `RUN --mount=from=image`
    Mount,
    /// `# syntax=image`, the program that reads the file
    Syntax,
}

impl Kind {
    /// The word that people write for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::From => "FROM",
            Kind::Copy => "COPY --from",
            Kind::Mount => "RUN --mount",
            Kind::Syntax => "# syntax",
        }
    }
}

/// One place of a Dockerfile that names an image from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The image, variables filled in, as a person would write it.
    pub image: String,
    /// The bytes that name it.
    pub span: Span,
    /// What it is named for.
    pub kind: Kind,
    /// The platform that is asked for with it.
    pub platform: Option<String>,
    /// Whether the image that is built begins with it.
    pub is_runtime: bool,
}

/// Every place that a build needs an image from outside for, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bases {
    /// The places; `scratch` is none of them.
    pub places: Vec<Base>,
}

impl Bases {
    /// The image that the built one begins with; `None` where that is `scratch`.
    pub fn runtime(&self) -> Option<&Base> {
        self.places.iter().find(|base| base.is_runtime)
    }
}
