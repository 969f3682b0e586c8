//! Renders the texts of a run: the data that templates see, and what ACR does with the output.

use super::values::{RunVars, shell_quoted, to_json};
use crate::template::{self, Limits, TemplateError, Value};
use crate::text::{Diagnostic, Diagnostics};
use serde_json::{Map, json};
use std::collections::BTreeMap;

pub use crate::template::{Draws, Rendered};

/// What the template engine prints for a value that is not there; ACR deletes it from the whole output.
const NO_VALUE: &str = "<no value>";

/// All that a text is rendered with.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// `.Run`.
    pub run: &'a RunVars,
    /// `.Values`, a map.
    pub values: &'a serde_json::Value,
    /// `.Secrets`, by id.
    pub secrets: &'a BTreeMap<String, String>,
    /// Other texts that no message may show, such as the values of `--set-secret`.
    pub masked: &'a [String],
    /// The time and the randomness of the run.
    pub draws: &'a Draws,
    /// The texts of the alias files that the file names.
    pub alias_files: &'a BTreeMap<String, String>,
}

impl Inputs<'_> {
    /// Makes the map that a template starts with.
    fn data(&self) -> serde_json::Value {
        let run = self.run.to_value();
        let values = match self.values {
            serde_json::Value::Object(_) => self.values.clone(),
            _ => serde_json::Value::Object(Map::new()),
        };
        json!({
            "Build": {"ID": self.run.id},
            "RunJSON": shell_quoted(&to_json(&run)),
            "ValuesJSON": shell_quoted(&to_json(&values)),
            "Run": run,
            "Values": values,
            "Secrets": self.secrets,
        })
    }

    /// Replaces every secret in a message by `***`; one or two letters are no secret, but part of every word.
    pub(super) fn without_secrets(&self, mut message: String) -> String {
        for secret in self.secrets.values().chain(self.masked) {
            for part in secret.lines().filter(|part| part.trim().len() > 2) {
                message = message.replace(part, "***");
            }
        }
        message
    }
}

/// Renders a text that is no file, such as the joined flags of a docker build.
pub fn render_text(text: &str, inputs: &Inputs<'_>) -> Result<String, Diagnostics> {
    let rendered = render(text, inputs).map_err(|error| diagnostic(error, "unable to render"))?;
    if rendered.text.is_empty() && !text.is_empty() {
        return Err(empty().into());
    }
    Ok(rendered.text)
}

/// Renders a text. This is the one place that calls the template engine.
pub(super) fn render(text: &str, inputs: &Inputs<'_>) -> Result<Rendered, TemplateError> {
    let data = Value::from(inputs.data());
    let mut rendered = template::render(text, &data, inputs.draws, &Limits::default())?;
    if rendered.text.contains(NO_VALUE) {
        rendered.text = rendered.text.replace(NO_VALUE, "");
    }
    Ok(rendered)
}

/// Makes a finding of what the template engine refused; its span is bytes of the text that was rendered.
pub(super) fn diagnostic(error: TemplateError, what: &str) -> Diagnostic {
    let message = format!("{what}: {}", error.message);
    let diagnostic = Diagnostic::error("template", message).at(error.span);
    match error.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The finding for a template that leaves nothing.
pub(super) fn empty() -> Diagnostic {
    Diagnostic::error("empty-template", "rendered template was empty")
        .help("every part of the text is a template action that printed nothing")
}
