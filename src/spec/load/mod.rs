//! From the text of a task file to a Task: comments, aliases, templates, YAML, in ACR's order.

mod comments;
mod positions;
mod prepare;
mod registry;
mod secrets;

pub use prepare::alias_sources;
pub use secrets::secrets_needed;

use super::render::{self, Inputs, Rendered};
use super::{Task, parse::parse_within};
use crate::text::{Diagnostic, Diagnostics, Span};
use positions::Positions;
use prepare::Prepared;

/// A file that has been read.
pub struct Loaded {
    /// The task; `None` when there are errors.
    pub task: Option<Task>,
    /// All findings. Their spans are bytes of the file itself: what was found in the rendered text is moved back
    /// to the part of the file that it came from, and what was read there is added as help where it differs.
    pub diagnostics: Diagnostics,
    /// The rendered text, which may hold secrets; empty when it could not be rendered.
    pub rendered: String,
    /// For each line of the rendered text, the line of the file that it came from, from 1.
    pub lines: Vec<u32>,
    /// Where the file uses the registry of its run.
    pub uses_registry: Vec<Span>,
}

impl std::fmt::Debug for Loaded {
    /// Leaves the rendered text out: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("task", &self.task)
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}

/// Reads a task file.
pub fn load(text: &str, inputs: &Inputs<'_>) -> Loaded {
    match prepare::prepare(text, inputs) {
        Ok(prepared) => render_and_parse(text, &prepared, inputs),
        Err(diagnostics) => refused(diagnostics, Vec::new()),
    }
}

fn render_and_parse(text: &str, prepared: &Prepared, inputs: &Inputs<'_>) -> Loaded {
    let uses = registry::uses(&prepared.template);
    let uses = uses
        .into_iter()
        .map(|span| prepared.edits.to_old(span))
        .collect();
    let mut diagnostics = prepared.warnings.clone();
    let rendered = match render(prepared, inputs) {
        Ok(rendered) => rendered,
        Err(error) => {
            diagnostics.push(error);
            return refused(diagnostics, uses);
        }
    };
    let positions = Positions::new(text, &prepared.template, &prepared.edits, &rendered);
    let directory = &inputs.run.directory;
    let (task, found) = parse_within(&rendered.text, &prepared.aliases, directory);
    diagnostics.extend(moved(found, &positions, inputs));
    let lines = positions.lines();
    Loaded {
        task: task.filter(|_| !diagnostics.has_errors()),
        diagnostics,
        lines,
        rendered: rendered.text,
        uses_registry: uses,
    }
}

/// Renders the prepared text; a file that templates leave nothing of is refused, an empty file is not.
fn render(prepared: &Prepared, inputs: &Inputs<'_>) -> Result<Rendered, Diagnostic> {
    let rendered = render::render(&prepared.template, inputs).map_err(|error| {
        let finding = render::diagnostic(error, "unable to render task");
        without_secrets(prepared.move_finding(finding), inputs)
    })?;
    if prepared.is_left_empty(&rendered.text) {
        return Err(render::empty());
    }
    Ok(rendered)
}

/// Moves findings about the rendered text into the file.
fn moved(found: Diagnostics, positions: &Positions<'_>, inputs: &Inputs<'_>) -> Diagnostics {
    let mut moved = Diagnostics::default();
    for finding in found {
        moved.push(without_secrets(
            positions.move_finding(finding, inputs),
            inputs,
        ));
    }
    moved
}

/// Takes secrets out of everything that a finding says.
fn without_secrets(mut finding: Diagnostic, inputs: &Inputs<'_>) -> Diagnostic {
    finding.message = inputs.without_secrets(finding.message);
    let label = finding.label.map(String::from);
    finding.label = label.map(|label| inputs.without_secrets(label).into());
    let help = finding
        .help
        .into_iter()
        .map(|help| inputs.without_secrets(help));
    finding.help = help.collect();
    finding
}

fn refused(diagnostics: Diagnostics, uses_registry: Vec<Span>) -> Loaded {
    Loaded {
        task: None,
        diagnostics,
        rendered: String::new(),
        lines: Vec::new(),
        uses_registry,
    }
}
