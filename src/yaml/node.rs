//! The tree that a YAML text becomes.

use crate::text::Span;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|`, line breaks kept.
    Literal,
    /// `>`, lines folded.
    Folded,
}

/// A tag written before a value, as far as it changes how the value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `!!null`.
    Null,
    /// `!!bool`.
    Bool,
    /// `!!int`.
    Int,
    /// `!!float`.
    Float,
    /// `!!str`.
    Str,
    /// `!!binary`.
    Binary,
    /// `!!timestamp`.
    Timestamp,
    /// `!!merge`.
    Merge,
    /// Any other; a scalar under it is text.
    Other,
}

impl Tag {
    /// Gives the tag as it is written.
    pub fn word(self) -> &'static str {
        match self {
            Tag::Null => "!!null",
            Tag::Bool => "!!bool",
            Tag::Int => "!!int",
            Tag::Float => "!!float",
            Tag::Str => "!!str",
            Tag::Binary => "!!binary",
            Tag::Timestamp => "!!timestamp",
            Tag::Merge => "!!merge",
            Tag::Other => "!",
        }
    }
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The key.
    pub key: Node,
    /// The value.
    pub value: Node,
    /// Whether a merge key (`<<`) brought it here.
    pub is_merged: bool,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One value, its escapes and folding undone, its meaning still open.
    Scalar {
        /// The text.
        text: String,
        /// How it is written.
        style: Style,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A map: every pair in order, merge keys replaced by what they bring; of equal keys the last one counts.
    Mapping(Vec<Pair>),
    /// Something whose error has been reported; readers pass over it silently.
    Broken,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it is written; for an alias, where its anchor is.
    pub span: Span,
    /// Its tag.
    pub tag: Option<Tag>,
    /// What it is.
    pub kind: Kind,
}

impl Node {
    /// Gives the text and style of a scalar.
    pub fn scalar(&self) -> Option<(&str, Style)> {
        match &self.kind {
            Kind::Scalar { text, style } => Some((text, *style)),
            Kind::Sequence(_) | Kind::Mapping(_) | Kind::Broken => None,
        }
    }

    /// Says whether the node is the key `<<` that merges maps.
    pub fn is_merge_key(&self) -> bool {
        match self.scalar() {
            Some(("<<", Style::Plain)) => matches!(self.tag, None | Some(Tag::Merge)),
            Some(("<<", _)) => self.tag == Some(Tag::Merge),
            _ => false,
        }
    }
}
