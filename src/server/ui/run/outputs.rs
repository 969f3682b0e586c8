//! What steps used and made: images, their digests, what they stand on.

use maud::{Markup, html};
use serde_json::Value;

use super::record::Record;
use crate::{
    server::ui::digest::digest,
    spec::dependencies::{Dependencies, ImageRecord},
};

/// The id of what a run made.
pub(super) const ID: &str = "outputs";

/// An image that a step used or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// What it is to the step.
    pub how: How,
    /// Its name.
    pub name: String,
    /// Its digest, where that is known.
    pub digest: Option<String>,
}

/// What an image is to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The step ran in it.
    RanIn,
    /// The step built it.
    Built,
    /// The step pushed it.
    Pushed,
    /// What was built begins with it.
    StandsOn,
    /// What was built took something from it.
    TookFrom,
}

impl How {
    /// The words for it.
    fn as_str(self) -> &'static str {
        match self {
            How::RanIn => "Ran in",
            How::Built => "Built",
            How::Pushed => "Pushed",
            How::StandsOn => "Stands on",
            How::TookFrom => "Took from",
        }
    }

    /// Says whether it is something that the run gave.
    fn is_output(self) -> bool {
        matches!(self, How::Built | How::Pushed)
    }
}

/// The images of a step.
pub(super) fn images(record: &Value) -> Markup {
    let all = mentions(record);
    html! {
        @if !all.is_empty() { dl class="images" { @for it in &all { (shown(it)) } } }
    }
}

/// What the whole run gave, as an element of its own; hidden while there is nothing.
pub(super) fn card(record: &Record) -> Markup {
    let steps = record.steps.iter();
    let all: Vec<Mention> = steps.flat_map(|it| mentions(&it.images)).collect();
    let is_pushed = |name: &str| {
        all.iter()
            .any(|it| it.how == How::Pushed && it.name == name)
    };
    // What was pushed was built before; once is enough.
    let given = all
        .iter()
        .filter(|it| it.how == How::Pushed || it.how.is_output() && !is_pushed(&it.name));
    let given: Vec<&Mention> = given.collect();
    html! {
        section id=(ID) class="card" aria-label="Outputs" hidden[given.is_empty()] {
            header { h2 { "Outputs" } span class="dim" { "images with their digests" } }
            dl class="images body" { @for it in given { (shown(it)) } }
        }
    }
}

fn shown(it: &Mention) -> Markup {
    html! {
        div {
            dt { (it.how.as_str()) }
            dd { code { (it.name) } @if let Some(content) = &it.digest { " " (digest(content)) } }
        }
    }
}

/// Reads the images out of what is recorded of a step.
pub(super) fn mentions(record: &Value) -> Vec<Mention> {
    let elements = match record {
        Value::Array(elements) => elements.as_slice(),
        Value::Object(_) => std::slice::from_ref(record),
        _ => &[],
    };
    let mut all: Vec<Mention> = Vec::new();
    for it in elements.iter().flat_map(of_element) {
        if !all.contains(&it) {
            all.push(it);
        }
    }
    all
}

fn of_element(element: &Value) -> Vec<Mention> {
    let mention = |how, name: &str, digest: Option<&str>| Mention {
        how,
        name: name.to_owned(),
        digest: digest.map(str::to_owned),
    };
    let mut all = Vec::new();
    match (&element["image"], element["digest"].as_str()) {
        (Value::String(name), Some(digest)) => all.push(mention(How::Pushed, name, Some(digest))),
        (Value::String(name), None) => {
            let full = element["digests"][0].as_str();
            let digest = full.and_then(|it| it.split_once('@')).map(|it| it.1);
            all.push(mention(How::RanIn, name, digest));
        }
        (Value::Array(names), _) => {
            let names = names.iter().filter_map(Value::as_str);
            let id = element["id"].as_str();
            all.extend(names.map(|name| mention(How::Built, name, id)));
        }
        _ => {}
    }
    let records = serde_json::from_value::<Vec<Dependencies>>(element["dependencies"].clone());
    for record in records.unwrap_or_default() {
        let base = |how, it: &ImageRecord| {
            let digest = Some(it.digest.as_str()).filter(|it| !it.is_empty());
            mention(how, &it.reference, digest)
        };
        let others = record.buildtime_dependency.unwrap_or_default();
        all.extend(
            record
                .runtime_dependency
                .iter()
                .map(|it| base(How::StandsOn, it)),
        );
        all.extend(others.iter().map(|it| base(How::TookFrom, it)));
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_images_of_commands_builds_and_pushes_are_read_as_they_are_recorded() {
        let base = |name: &str, digest: &str| json!({"registry": "r", "repository": "x", "tag": "1", "digest": digest, "reference": name});
        let built = json!({"image": base("web:1", ""), "runtime-dependency": base("alpine:3", "sha256:aa"),
            "buildtime-dependency": [base("golang:1", "")], "git": {"git-head-revision": ""}});
        for (record, said) in [
            (json!(null), ""),
            (
                json!({"image": "busybox", "id": "sha256:1", "digests": ["busybox@sha256:2"]}),
                "Ran in busybox sha256:2",
            ),
            (
                json!([{"image": ["web:1"], "id": "sha256:3", "dependencies": [built]}]),
                "Built web:1 sha256:3, Stands on alpine:3 sha256:aa, Took from golang:1 -",
            ),
            (
                json!([{"image": "r/web:1", "digest": "sha256:4"}]),
                "Pushed r/web:1 sha256:4",
            ),
        ] {
            let all = mentions(&record);
            let words = all.iter().map(|it| {
                let digest = it.digest.as_deref().unwrap_or("-");
                format!("{} {} {digest}", it.how.as_str(), it.name)
            });
            assert_eq!(words.collect::<Vec<_>>().join(", "), said);
        }
    }
}
