//! Turns a text into a tree.

use super::anchors::{Anchors, TooMuch};
use super::events::{self, DEEPEST, Events, Stop};
use super::node::{Kind, Node, Pair};
use super::{codes, merge, refusals, syntax};
use crate::text::{Diagnostic, Diagnostics, Span};
use granit_parser::{Event, StructureStyle};

/// Reads the first document of `text`. There is no tree where the text is empty or not YAML; in the second case,
/// and wherever the tree has a broken node, the findings hold an error.
pub fn compose(text: &str) -> (Option<Node>, Diagnostics) {
    if let Some(finding) = refusals::control_character(text) {
        return (None, finding.into());
    }
    let masked = events::mask(text);
    let composer = Composer {
        text,
        events: Events::new(&masked),
        anchors: Anchors::default(),
        depth: 0,
        findings: Diagnostics::default(),
    };
    composer.document()
}

struct Composer<'a> {
    text: &'a str,
    events: Events<'a>,
    anchors: Anchors,
    depth: usize,
    findings: Diagnostics,
}

impl<'a> Composer<'a> {
    fn document(mut self) -> (Option<Node>, Diagnostics) {
        let root = match self.root() {
            Ok(root) => {
                self.look_behind();
                root
            }
            Err(stop) => {
                self.report(stop);
                None
            }
        };
        (root, self.findings)
    }

    fn root(&mut self) -> Result<Option<Node>, Stop> {
        loop {
            match self.events.next()? {
                (Event::StreamStart, _) => {}
                (Event::DocumentStart(_, version), _) => {
                    let version = version.map_or((1, 1), |version| (version.major, version.minor));
                    if version != (1, 1) {
                        return Err(syntax::wrong_version(self.text).into());
                    }
                }
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(None),
                (event, span) => {
                    let root = self.node(event, span)?;
                    if !matches!(root.kind, Kind::Mapping(_)) {
                        self.refuse(refusals::tab_indent(self.text, span));
                    }
                    return Ok(Some(root));
                }
            }
        }
    }

    /// Looks at what follows the first document: nobody will read it.
    fn look_behind(&mut self) {
        loop {
            match self.events.next() {
                Ok((Event::DocumentEnd, _)) => {}
                Ok((Event::StreamEnd, _)) => return,
                Ok((_, span)) => return self.report(Stop::Trailing(span)),
                Err(stop) => return self.report(stop),
            }
        }
    }

    fn report(&mut self, stop: Stop) {
        let finding = match stop {
            Stop::Syntax(finding) => *finding,
            Stop::Trailing(span) => {
                Diagnostic::warning(codes::IGNORED_TEXT, "only the first document is read")
                    .at(span)
                    .label("everything from here on is ignored")
            }
        };
        let finding = finding.map_spans(|span| syntax::on_a_line(self.text, span));
        self.findings.push(finding);
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Stop> {
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = events::scalar(self.text, span, (text, style), tag.as_deref());
                self.refuse(refusals::scalar(self.text, &node));
                (anchor, node)
            }
            Event::SequenceStart(style, anchor, _) => (anchor, self.sequence(style, span)?),
            Event::MappingStart(style, anchor, _) => (anchor, self.mapping(style, span)?),
            Event::Alias(id) => return self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                return Ok(self.broken(syntax::unknown_anchor(&name).at(span)));
            }
            _ => return Ok(self.broken(syntax::unreadable().at(span))),
        };
        if anchor != 0 && self.anchors.keep(anchor, &node).is_err() {
            return Err(syntax::too_many_aliases().at(span).into());
        }
        Ok(node)
    }

    fn sequence(&mut self, style: StructureStyle, start: Span) -> Result<Node, Stop> {
        self.enter(start)?;
        let mut items = Vec::new();
        let end = loop {
            match self.events.next()? {
                (Event::SequenceEnd, end) => break end,
                (event, span) => {
                    if style == StructureStyle::Block {
                        self.refuse(refusals::tab_indent(self.text, span));
                    }
                    items.push(self.node(event, span)?);
                }
            }
        };
        self.depth -= 1;
        let span = events::around(style, start, end, (items.first(), items.last()));
        Ok(collection(span, Kind::Sequence(items)))
    }

    fn mapping(&mut self, style: StructureStyle, start: Span) -> Result<Node, Stop> {
        self.enter(start)?;
        let mut pairs: Vec<Pair> = Vec::new();
        let end = loop {
            match self.events.next()? {
                (Event::MappingEnd, end) => break end,
                (event, span) => {
                    let key = self.key(style, event, span)?;
                    let (event, span) = self.events.next()?;
                    let value = self.node(event, span)?;
                    let is_merged = false;
                    pairs.push(Pair {
                        key,
                        value,
                        is_merged,
                    });
                }
            }
        };
        self.depth -= 1;
        let (first, last) = (pairs.first(), pairs.last());
        let ends = (first.map(|pair| &pair.key), last.map(|pair| &pair.value));
        let span = events::around(style, start, end, ends);
        // A template without quotes looks like a map, and its error is reported: nothing more to say about it.
        let is_template = |pair: &Pair| matches!(pair.key.kind, Kind::Broken);
        if style == StructureStyle::Flow && pairs.iter().any(is_template) {
            return Ok(collection(span, Kind::Broken));
        }
        let pairs = merge::merge(pairs, &mut self.findings);
        Ok(collection(span, Kind::Mapping(pairs)))
    }

    /// Reads a key. A map or a list as a key is most often a template without quotes.
    fn key(&mut self, style: StructureStyle, event: Event<'a>, span: Span) -> Result<Node, Stop> {
        let key = self.node(event, span)?;
        self.refuse(refusals::empty_key(self.text, &key));
        if style == StructureStyle::Block {
            self.refuse(refusals::tab_indent(self.text, span));
        }
        match key.kind {
            Kind::Scalar { .. } | Kind::Broken => Ok(key),
            Kind::Sequence(_) | Kind::Mapping(_) => {
                Ok(self.broken(syntax::key_is_no_scalar(self.text, key.span)))
            }
        }
    }

    fn enter(&mut self, span: Span) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(syntax::too_deep(DEEPEST).at(span).into());
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Stop> {
        match self.anchors.copy(anchor) {
            Ok(Some((_, depth))) if self.depth + depth > DEEPEST => {
                Err(syntax::too_deep(DEEPEST).at(span).into())
            }
            Ok(Some((node, _))) => Ok(node),
            Ok(None) => Ok(self.broken(syntax::contains_itself().at(span))),
            Err(TooMuch) => Err(syntax::too_many_aliases().at(span).into()),
        }
    }

    fn refuse(&mut self, finding: Option<Diagnostic>) {
        if let Some(finding) = finding {
            self.findings.push(finding);
        }
    }

    fn broken(&mut self, finding: Diagnostic) -> Node {
        let span = finding.span.unwrap_or(Span::new(0, 0));
        self.findings.push(finding);
        collection(span, Kind::Broken)
    }
}

fn collection(span: Span, kind: Kind) -> Node {
    let tag = None;
    Node { span, tag, kind }
}
