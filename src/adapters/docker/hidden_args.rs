//! Build arguments whose values must not be in the image: a Dockerfile is changed so that commands read them as
//! secrets.
//!
//! The value of an `ARG` is written into the history of an image, beside every `RUN` that sees it. So a `RUN` after
//! `ARG TOKEN` gets a secret mount, and its script begins with exporting `TOKEN` from there. Where that cannot be done,
//! in a `RUN` without a shell or where another instruction uses the argument, the reason is told, and the argument goes
//! the ordinary way: refusing it would break files that build elsewhere.

use std::{collections::BTreeSet, sync::Arc};

use crate::ports::{BuildRequest, BuildSecret};

use super::instructions::{Instruction, directive, read};

/// What the ids of secrets that stand for arguments begin with.
pub(super) const PREFIX: &str = "careen.arg.";

/// What a Dockerfile became.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    /// The changed text; lines keep their numbers.
    pub(super) text: String,
    /// The arguments that go the ordinary way, each with the reason.
    pub(super) exposed: Vec<(String, String)>,
}

impl Hidden {
    /// Turns the hidden arguments of a request into secrets.
    pub(super) fn apply(&self, request: &BuildRequest) -> BuildRequest {
        let mut request = request.clone();
        let is_exposed = |name: &String| self.exposed.iter().any(|(exposed, _)| exposed == name);
        let hidden: Vec<String> = request
            .secret_args
            .drain(..)
            .filter(|name| !is_exposed(name))
            .collect();
        let arguments = std::mem::take(&mut request.build_args);
        for (name, value) in arguments {
            if hidden.contains(&name) {
                request.secrets.push(BuildSecret {
                    id: format!("{PREFIX}{name}"),
                    value: Arc::new(value.into_bytes().into()),
                });
            } else {
                request.build_args.push((name, value));
            }
        }
        request
    }
}

/// Changes a Dockerfile so that it takes these arguments as secrets.
pub(super) fn hide(text: &str, names: &[String]) -> Hidden {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let instructions = read(&lines);
    let mut exposed = Vec::new();
    let mut hidden = BTreeSet::new();
    for name in names {
        match foreign(&lines).or_else(|| obstacle(&instructions, name)) {
            Some(reason) => exposed.push((name.clone(), reason)),
            None => drop(hidden.insert(name.as_str())),
        }
    }
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    let mut declared = BTreeSet::new();
    for instruction in &instructions {
        match instruction.word.as_str() {
            "FROM" => declared.clear(),
            "ARG" => declared.extend(hidden.iter().filter(|name| declares(instruction, name))),
            "RUN" if !declared.is_empty() => read_secrets(instruction, &mut lines, &declared),
            _ => {}
        }
    }
    let text = lines.concat();
    Hidden { text, exposed }
}

/// Writes into a `RUN` that it reads these arguments as secrets.
fn read_secrets(run: &Instruction, lines: &mut [String], names: &BTreeSet<&str>) {
    let export =
        |name: &&str| format!("{name}=\"$(cat /run/secrets/{PREFIX}{name})\"; export {name}; ");
    let exports: String = names.iter().map(export).collect();
    let (line, column) = match &run.document {
        Some(document) if run.is_document() => (document.line, 0),
        _ => run.script,
    };
    lines[line].insert_str(column, &exports);
    let mount = |name: &&str| format!(" --mount=type=secret,id={PREFIX}{name},mode=0444");
    let mounts: String = names.iter().map(mount).collect();
    let first = &mut lines[run.line];
    let indent = first.len() - first.trim_start().len();
    first.insert_str(indent + run.word.len(), &mounts);
}

/// Says why an argument cannot be hidden.
fn obstacle(instructions: &[Instruction], name: &str) -> Option<String> {
    let mut is_declared = false;
    for instruction in instructions {
        let word = instruction.word.as_str();
        let why = match word {
            "ARG" => {
                is_declared |= declares(instruction, name);
                None
            }
            "RUN" if is_declared => without_shell(instruction),
            // These are not expanded when the image is built.
            "RUN" | "CMD" | "ENTRYPOINT" | "HEALTHCHECK" => None,
            "SHELL" if !instruction.rest.contains("sh\"") => Some("is no shell that could read it"),
            _ => uses(instruction, name).then_some("uses it"),
        };
        if let Some(why) = why {
            return Some(format!("{word} in line {} {why}", instruction.line + 1));
        }
        is_declared &= word != "FROM";
    }
    None
}

/// Says so where the file is not read by Docker's own reader of Dockerfiles.
fn foreign(lines: &[&str]) -> Option<String> {
    let syntax = directive(lines, "syntax")?;
    (!syntax.contains("docker/dockerfile")).then(|| format!("`# syntax={syntax}` reads the file"))
}

fn declares(argument: &Instruction, name: &str) -> bool {
    let mut words = argument.rest.split_whitespace();
    words.any(|word| word.split('=').next() == Some(name))
}

fn uses(instruction: &Instruction, name: &str) -> bool {
    let is_part = |next: char| next.is_ascii_alphanumeric() || next == '_';
    ["$", "${"].iter().any(|sign| {
        let start = format!("{sign}{name}");
        let mut found = instruction.rest.match_indices(&start);
        found.any(|(at, _)| !instruction.rest[at + start.len()..].starts_with(is_part))
    })
}

/// Says why the script of a `RUN` cannot begin with words of ours.
fn without_shell(run: &Instruction) -> Option<&'static str> {
    if run.script_text().starts_with('[') {
        return Some("has no shell that could read it");
    }
    let document = run.document.as_ref().filter(|_| run.is_document());
    document
        .is_some_and(|document| document.text.starts_with("#!"))
        .then_some("chooses its own interpreter")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNT: &str = "--mount=type=secret,id=careen.arg.T,mode=0444";
    const EXPORT: &str = "T=\"$(cat /run/secrets/careen.arg.T)\"; export T; ";

    fn hidden(text: &str) -> Hidden {
        hide(text, &["T".to_string()])
    }

    #[test]
    fn commands_behind_the_argument_read_it_as_a_secret() {
        for (text, expected) in [
            (
                "FROM a\nRUN x\nARG T\nRUN y $T\n",
                "FROM a\nRUN x\nARG T\nRUN MOUNT EXPORTy $T\n",
            ),
            (
                "FROM a\nARG T=1\n run --network=none \\\n  y\n",
                "FROM a\nARG T=1\n run MOUNT --network=none \\\n  EXPORTy\n",
            ),
            (
                "FROM a\nARG T\nFROM b\nRUN y\n",
                "FROM a\nARG T\nFROM b\nRUN y\n",
            ),
            ("ARG T\nFROM a\nRUN y $T\n", "ARG T\nFROM a\nRUN y $T\n"),
            (
                "FROM a\nARG T\nRUN <<E\ny $T\nE\n",
                "FROM a\nARG T\nRUN MOUNT <<E\nEXPORTy $T\nE\n",
            ),
            (
                "FROM a\nARG T\nRUN cat <<E\nRUN\nE\nCMD $T",
                "FROM a\nARG T\nRUN MOUNT EXPORTcat <<E\nRUN\nE\nCMD $T",
            ),
            (
                "FROM a\nARG T\n# c\nRUN a \\\n# c\n\n b\nENV X=$TT",
                "FROM a\nARG T\n# c\nRUN MOUNT EXPORTa \\\n# c\n\n b\nENV X=$TT",
            ),
        ] {
            let hidden = hidden(text);
            let expected = expected.replace("MOUNT", MOUNT).replace("EXPORT", EXPORT);
            assert_eq!(hidden.text, expected);
            assert_eq!(hidden.exposed, [], "{text}");
        }
    }

    #[test]
    fn an_argument_that_cannot_be_hidden_is_told_of_with_the_line() {
        for (text, reason) in [
            ("FROM a\nARG T\nENV X=${T}", "ENV in line 3 uses it"),
            ("ARG T\nFROM a:$T", "FROM in line 2 uses it"),
            (
                "FROM a\nARG T\nRUN [\"x\"]",
                "RUN in line 3 has no shell that could read it",
            ),
            (
                "FROM a\nARG T\nRUN <<E\n#!/x\nE",
                "RUN in line 3 chooses its own interpreter",
            ),
            (
                "FROM a\nARG T\nCOPY <<E /f\n$T\nE",
                "COPY in line 3 uses it",
            ),
            (
                "FROM a\nSHELL [\"cmd\"]",
                "SHELL in line 2 is no shell that could read it",
            ),
            (
                "# syntax=mine/builder\nFROM a",
                "`# syntax=mine/builder` reads the file",
            ),
        ] {
            let hidden = hidden(text);
            assert_eq!(hidden.text, text);
            let told: Vec<&str> = hidden
                .exposed
                .iter()
                .map(|(_, reason)| reason.as_str())
                .collect();
            assert_eq!(told.concat(), reason, "{text}");
        }
    }
}
