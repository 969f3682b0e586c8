//! The variables that `FROM` may use: platforms, and every `ARG` before the first stage.

use std::collections::HashMap;

use super::{Dockerfile, Options, Word, expand::expand, platform};
use crate::text::{Diagnostic, Diagnostics, Span, did_you_mean};

/// The variables before the first stage, each with its value.
pub(super) struct Variables<'a> {
    file: &'a Dockerfile,
    values: HashMap<String, String>,
}

impl<'a> Variables<'a> {
    /// Gives each `ARG` what the build is told, else its default.
    pub(super) fn new(file: &'a Dockerfile, options: &Options, found: &mut Diagnostics) -> Self {
        let given: HashMap<&str, &str> = options
            .build_args
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut variables = Self {
            file,
            values: platform::variables(options).into_iter().collect(),
        };
        for argument in &file.arguments {
            let value = match (given.get(argument.name.as_str()), &argument.default) {
                (Some(given), _) => (*given).to_owned(),
                (None, Some(default)) => match variables.expanded(default, argument.span) {
                    Ok((value, _)) => value,
                    Err(finding) => {
                        found.push(*finding);
                        continue;
                    }
                },
                (None, None) => continue,
            };
            variables.values.insert(argument.name.clone(), value);
        }
        variables
    }

    /// Fills variables into a word; what has no value is warned of, a word that becomes nothing is an error.
    pub(super) fn fill(&self, word: &Word, found: &mut Diagnostics) -> Option<String> {
        match self.expanded(&word.text, word.span) {
            Err(finding) => {
                found.push(*finding);
                None
            }
            Ok((text, unset)) if text.trim().is_empty() => {
                found.push(self.without_value(word, unset.first(), true));
                None
            }
            Ok((text, unset)) => {
                for name in &unset {
                    found.push(self.without_value(word, Some(name), false));
                }
                Some(text)
            }
        }
    }

    fn expanded(&self, text: &str, span: Span) -> Result<(String, Vec<String>), Box<Diagnostic>> {
        let value = |name: &str| self.values.get(name).map(String::as_str);
        match expand(text, self.file.escape, &value) {
            Ok(expanded) => Ok((expanded.text, expanded.unset)),
            Err(problem) => {
                let message = format!("`{text}` cannot be filled in: {problem}");
                Err(Box::new(
                    Diagnostic::error("bad-variable", message).at(span),
                ))
            }
        }
    }

    fn without_value(&self, word: &Word, name: Option<&String>, is_error: bool) -> Diagnostic {
        let message = match name {
            Some(name) => format!("{name} has no value here"),
            None => format!("`{}` names nothing", word.text),
        };
        let finding = match is_error {
            true => Diagnostic::error("blank-name", message),
            false => Diagnostic::warning("no-value", message),
        };
        let finding = finding.at(word.span);
        match name.map(|name| self.advice(name)) {
            Some(advice) => finding.help(advice),
            None => finding,
        }
    }

    /// Says what gives a variable its value.
    fn advice(&self, name: &str) -> String {
        if self.file.arguments.iter().any(|it| it.name == name) {
            return format!("give it with --build-arg {name}=…, or a default: ARG {name}=…");
        }
        let is_inside = |stage: &super::Stage| stage.arguments.iter().any(|it| it == name);
        if self.file.stages.iter().any(is_inside) {
            return format!(
                "FROM sees only what stands before the first FROM: move ARG {name} there"
            );
        }
        let known = self.file.arguments.iter().map(|it| it.name.as_str());
        match did_you_mean(name, known) {
            Some(close) => format!("did you mean {close}?"),
            None => format!("declare it before the first FROM: ARG {name}=…"),
        }
    }
}
