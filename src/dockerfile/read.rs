//! Reads the text of a Dockerfile into its stages.

use std::borrow::Cow;

use parse_dockerfile::{FromInstruction, Instruction, UnescapedString};

use super::{
    Dockerfile, Kind, Source, Stage, Word, arguments, directives, logical::Lines, mask, mounts,
};
use crate::text::{Diagnostic, Diagnostics, Span, did_you_mean};

const MARK: char = '\u{feff}';

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads a text, with or without a byte-order mark.
pub(super) fn read(text: &str) -> (Option<Dockerfile>, Diagnostics) {
    let body = text.strip_prefix(MARK).unwrap_or(text);
    let mark = text.len() - body.len();
    let (mut file, mut found) = read_body(body);
    if mark > 0 {
        let findings = found.into_iter();
        let moved = findings.map(|finding| finding.map_spans(|span| span.shifted(mark)));
        let mut all = Diagnostics::default();
        moved.for_each(|finding| all.push(finding));
        found = all;
        file.each_span(&mut |span| *span = span.shifted(mark));
    }
    let is_good = !found.has_errors();
    (is_good.then_some(file), found)
}

fn read_body(text: &str) -> (Dockerfile, Diagnostics) {
    let (directives, mut found) = directives::read(text);
    let (masked, masking) = mask::mask(text, directives.escape);
    found.extend(masking);
    let mut reader = Reader {
        text: &masked,
        file: Dockerfile {
            syntax: directives.syntax,
            escape: directives.escape,
            arguments: Vec::new(),
            stages: Vec::new(),
        },
        found,
    };
    reader.instructions();
    (reader.file, reader.found)
}

struct Reader<'a> {
    text: &'a str,
    file: Dockerfile,
    found: Diagnostics,
}

impl Reader<'_> {
    fn instructions(&mut self) {
        if Lines::new(self.text)
            .next_instruction(self.file.escape)
            .is_none()
        {
            let finding =
                Diagnostic::error("no-stage", "there is no instruction in this Dockerfile");
            self.found
                .push(finding.help("it needs at least: FROM image"));
            return;
        }
        let instructions = match parse_dockerfile::parse_iter(self.text) {
            Ok(instructions) => instructions,
            Err(error) => return self.refused(&error),
        };
        for instruction in instructions {
            match instruction {
                Ok(instruction) => self.instruction(&instruction),
                Err(error) => return self.refused(&error),
            }
        }
    }

    fn instruction(&mut self, instruction: &Instruction<'_>) {
        match instruction {
            Instruction::From(from) => self.stage(from),
            Instruction::Arg(arg) => {
                let span = Span::from(arg.arguments.span.clone());
                let escape = self.file.escape;
                let (arguments, found) = arguments::read(&arg.arguments.value, span, escape);
                self.found.extend(found);
                match self.file.stages.last_mut() {
                    Some(stage) => stage
                        .arguments
                        .extend(arguments.into_iter().map(|it| it.name)),
                    None => self.file.arguments.extend(arguments),
                }
            }
            Instruction::Onbuild(later) => {
                let sources = self.sources(&later.instruction);
                if let Some(stage) = self.file.stages.last_mut() {
                    stage.triggers.extend(sources);
                }
            }
            other => {
                let sources = self.sources(other);
                if let Some(stage) = self.file.stages.last_mut() {
                    stage.sources.extend(sources);
                }
            }
        }
    }

    fn stage(&mut self, from: &FromInstruction<'_>) {
        let platform = from
            .options
            .iter()
            .rfind(|flag| flag.name.value == "platform");
        let name = from.as_.as_ref().map(|(_, name)| word(name));
        if let Some(name) = &name {
            self.check_name(name);
        }
        self.file.stages.push(Stage {
            name,
            image: word(&from.image),
            platform: platform.and_then(|flag| Some(word(flag.value.as_ref()?))),
            sources: Vec::new(),
            triggers: Vec::new(),
            arguments: Vec::new(),
        });
    }

    fn check_name(&mut self, name: &Word) {
        let mut letters = name.text.chars();
        let is_good = letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.'));
        if !is_good {
            let message = format!("`{}` cannot be the name of a stage", name.text);
            let finding = Diagnostic::error("stage-name", message).at(name.span);
            self.found
                .push(finding.help("a name begins with a letter; letters, digits, - _ . follow"));
        }
        let names = self
            .file
            .stages
            .iter()
            .filter_map(|stage| stage.name.as_ref());
        let mut same = names.filter(|it| it.text.eq_ignore_ascii_case(&name.text));
        if let Some(first) = same.next() {
            let message = format!("there is a stage {} already", name.text);
            let finding = Diagnostic::warning("second-stage", message).at(name.span);
            self.found
                .push(finding.also(first.span, "here; from now on the name means the second"));
        }
    }

    /// Lists the stages and images that an instruction takes files from.
    fn sources(&self, instruction: &Instruction<'_>) -> Vec<Source> {
        let (flags, kind) = match instruction {
            Instruction::Copy(copy) => (&copy.options, Kind::Copy),
            Instruction::Run(run) => (&run.options, Kind::Mount),
            _ => return Vec::new(),
        };
        let wanted = if kind == Kind::Copy { "from" } else { "mount" };
        let values = flags
            .iter()
            .filter(|flag| flag.name.value == wanted)
            .filter_map(|flag| flag.value.as_ref());
        let words = values.filter_map(|value| match kind {
            Kind::Copy => Some(word(value)).filter(|word| !word.text.is_empty()),
            _ => self.mount_source(value),
        });
        words.map(|word| Source { word, kind }).collect()
    }

    fn mount_source(&self, value: &UnescapedString<'_>) -> Option<Word> {
        let range = mounts::from(&value.value)?;
        let text = value.value[range.clone()].to_owned();
        let raw = &self.text[value.span.clone()];
        let (start, end) = match &value.value {
            Cow::Borrowed(_) => (range.start, range.end),
            // A continued line stands in the value: each byte is looked for in what is written.
            Cow::Owned(value) => {
                let places = places(raw, value, self.file.escape);
                (*places.get(range.start)?, *places.get(range.end - 1)? + 1)
            }
        };
        let span = Span::new(start, end).shifted(value.span.start);
        Some(Word { text, span })
    }

    /// Underlines what keeps the whole file from being read.
    fn refused(&mut self, error: &parse_dockerfile::Error) {
        let message = format!("{error:#}");
        if error.line() == 0 {
            let finding = Diagnostic::error("no-stage", message);
            self.found.push(finding.help("write one: FROM image"));
            return;
        }
        let start = self.place(error.line(), error.column());
        let rest = &self.text[start..];
        let length = rest
            .find(|it: char| it.is_whitespace())
            .unwrap_or(rest.len());
        let name = &rest[..length];
        let mut finding = Diagnostic::error("bad-instruction", message.replace('\'', "`"));
        if length > 0 {
            finding = finding.at(start..start + length);
        }
        if message.starts_with("unknown instruction")
            && let Some(meant) = did_you_mean(name, INSTRUCTIONS)
        {
            finding = finding.help(format!("did you mean {meant}?"));
        }
        self.found.push(finding);
    }

    /// The offset of a line and column, both from 1, in bytes.
    fn place(&self, line: usize, column: usize) -> usize {
        let before = self.text.split_inclusive('\n').take(line.saturating_sub(1));
        let start: usize = before.map(str::len).sum();
        let mut place = (start + column.saturating_sub(1)).min(self.text.len());
        while !self.text.is_char_boundary(place) {
            place -= 1;
        }
        place
    }
}

fn word(read: &UnescapedString<'_>) -> Word {
    Word {
        text: read.value.clone().into_owned(),
        span: Span::from(read.span.clone()),
    }
}

/// Finds each byte of a value in what is written, where line ends and comments lie between them.
fn places(raw: &str, value: &str, escape: char) -> Vec<usize> {
    let mut places = Vec::with_capacity(value.len());
    let mut lines = Lines::new(raw);
    let parts = lines.next_instruction(escape).unwrap_or_default();
    places.extend(parts.into_iter().flatten());
    places.truncate(value.len());
    places
}

impl Dockerfile {
    fn each_span(&mut self, change: &mut dyn FnMut(&mut Span)) {
        let mut words: Vec<&mut Word> = self.syntax.iter_mut().collect();
        for argument in &mut self.arguments {
            change(&mut argument.span);
        }
        for stage in &mut self.stages {
            words.push(&mut stage.image);
            words.extend(stage.name.iter_mut().chain(&mut stage.platform));
            let sources = stage.sources.iter_mut().chain(&mut stage.triggers);
            words.extend(sources.map(|source| &mut source.word));
        }
        words.into_iter().for_each(|word| change(&mut word.span));
    }
}
