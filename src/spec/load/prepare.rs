//! What happens to a file before it is rendered: comments go, aliases are replaced.

use super::comments;
use super::positions::Positions;
use super::{moved, without_secrets};
use crate::spec::alias::{self, Aliases, Edits, Section};
use crate::spec::render::{self, Inputs};
use crate::text::{Diagnostic, Diagnostics, Span};
use std::borrow::Cow;

/// A file that is ready to be rendered.
pub(super) struct Prepared {
    /// The text to render.
    pub template: String,
    /// What aliases changed in it.
    pub edits: Edits,
    /// The aliases in force.
    pub aliases: Aliases,
    /// What was found on the way.
    pub warnings: Diagnostics,
    /// How many lines were blanked out.
    blank_lines: usize,
    /// Whether anything was left then.
    has_text: bool,
}

impl Prepared {
    /// Moves a finding about the template into the file.
    pub fn move_finding(&self, finding: Diagnostic) -> Diagnostic {
        finding.map_spans(|span| self.edits.to_old(span))
    }

    /// Says whether a file that held something was rendered to nothing. Blanked lines do not count: ACR removes
    /// them before it renders.
    pub fn is_left_empty(&self, rendered: &str) -> bool {
        let breaks = rendered.bytes().filter(|b| *b == b'\n').count();
        let only_blanked = rendered.trim().is_empty() && (1..=self.blank_lines).contains(&breaks);
        self.has_text && (rendered.is_empty() || only_blanked)
    }
}

/// Lists the files and addresses that the file takes aliases from, for the caller to load.
pub fn alias_sources(text: &str, inputs: &Inputs<'_>) -> Result<Vec<String>, Diagnostics> {
    let bare = without_comments(text);
    if !alias::has_aliases(alias::version_text(&bare)) {
        return Ok(Vec::new());
    }
    Ok(read_section(text, &bare, inputs)?.sources)
}

/// Takes comments and the alias section out and replaces the aliases.
pub(super) fn prepare(text: &str, inputs: &Inputs<'_>) -> Result<Prepared, Diagnostics> {
    let bare = without_comments(text);
    let version = alias::version_text(&bare);
    if !alias::has_aliases(version) {
        let warnings = without_aliases(&bare, version);
        return Ok(prepared(
            text,
            bare.into_owned(),
            Edits::default(),
            Aliases::default(),
            warnings,
        ));
    }
    let section = read_section(text, &bare, inputs)?;
    let aliases = alias::gather(&section, inputs.alias_files)?;
    let body = alias::cut(&bare).map_or(bare, Cow::Owned);
    let (template, edits) = alias::expand(&body, section.directive, &aliases);
    Ok(prepared(
        text,
        template,
        edits,
        aliases,
        Diagnostics::default(),
    ))
}

fn prepared(
    text: &str,
    template: String,
    edits: Edits,
    aliases: Aliases,
    warnings: Diagnostics,
) -> Prepared {
    let written = text.lines().filter(|line| !line.trim().is_empty()).count();
    let left = template
        .lines()
        .filter(|line| !line.trim().is_empty())
        .count();
    Prepared {
        blank_lines: written.saturating_sub(left),
        has_text: left > 0,
        template,
        edits,
        aliases,
        warnings,
    }
}

fn without_comments(text: &str) -> Cow<'_, str> {
    match comments::find(text) {
        found if found.is_empty() => Cow::Borrowed(text),
        found => Cow::Owned(alias::blank_out(text, &found)),
    }
}

/// Renders the alias section alone and reads it; its findings are moved into the file.
fn read_section(text: &str, bare: &str, inputs: &Inputs<'_>) -> Result<Section, Diagnostics> {
    let Some(template) = alias::only(bare) else {
        return Ok(Section::default());
    };
    let rendered = render::render(&template, inputs).map_err(|error| {
        let finding = render::diagnostic(error, "unable to render alias data");
        without_secrets(finding, inputs)
    })?;
    let edits = Edits::default();
    let positions = Positions::new(text, &template, &edits, &rendered);
    alias::read_section(&rendered.text).map_err(|found| moved(found, &positions, inputs))
}

/// Warns where somebody seems to count on aliases that the version does not have.
fn without_aliases(text: &str, version: Option<&str>) -> Diagnostics {
    let mut warnings = Diagnostics::default();
    if let Some(version) = version.filter(|v| alias::has_aliases(Some(&v.to_lowercase()))) {
        warnings.push(
            Diagnostic::warning(
                "aliases-off",
                format!("the version `{version}` in upper case turns aliases off, in ACR too"),
            )
            .at(place_of(text, version))
            .help("write `version: v1.1.0`"),
        );
    } else if let Some(at) = text.find("$Registry") {
        warnings.push(
            Diagnostic::warning(
                "aliases-off",
                "`$Registry` is not replaced: this version has no aliases",
            )
            .at(at..at + "$Registry".len())
            .help("write `version: v1.1.0` at the top of the file, or `{{.Run.Registry}}` here"),
        );
    }
    warnings
}

/// Finds the place of a part of a text that was borrowed from it.
fn place_of(text: &str, part: &str) -> Span {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    Span::new(start, start + part.len())
}
