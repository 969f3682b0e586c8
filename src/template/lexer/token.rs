//! The tokens of a template.
use std::ops::Range;

/// Is what kind of word a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text between actions.
    Text,
    /// `{{`, with its trim marker.
    LeftDelimiter,
    /// `}}`, with its trim marker.
    RightDelimiter,
    /// `(`.
    LeftParenthesis,
    /// `)`.
    RightParenthesis,
    /// `|`.
    Pipe,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    /// `,`.
    Comma,
    /// Any other printable ASCII character.
    Other,
    /// `.` alone.
    Dot,
    /// `.name`.
    Field,
    /// `$` or `$name`.
    Variable,
    /// The name of a function.
    Identifier,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A pair like `1+2i`.
    Complex,
    /// A character in single quotes.
    Character,
    /// A string in double quotes.
    Quoted,
    /// A string in back quotes.
    Raw,
    /// One of the words below.
    Keyword(Keyword),
    /// The end of the source.
    End,
}

/// Is a word the language keeps for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// `block`
    Block,
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `define`
    Define,
    /// `else`
    Else,
    /// `end`
    End,
    /// `if`
    If,
    /// `nil`
    Nil,
    /// `range`
    Range,
    /// `template`
    Template,
    /// `with`
    With,
}

impl Keyword {
    /// Recognises a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "block" => Keyword::Block,
            "break" => Keyword::Break,
            "continue" => Keyword::Continue,
            "define" => Keyword::Define,
            "else" => Keyword::Else,
            "end" => Keyword::End,
            "if" => Keyword::If,
            "nil" => Keyword::Nil,
            "range" => Keyword::Range,
            "template" => Keyword::Template,
            "with" => Keyword::With,
            _ => return None,
        })
    }
}

/// Is one word of a template with its place.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands in the source.
    pub span: Range<usize>,
    /// Whether a blank stands before it inside the action.
    pub after_space: bool,
}
