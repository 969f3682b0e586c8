//! What a run was made from: context, values, task file, all without secrets.

use maud::{Markup, html};
use serde_json::Value;

use super::record::Record;
use crate::{
    app::Request,
    ports::Pin,
    server::ui::{digest::digest, yaml::painted},
};

/// The inputs, as they were resolved.
pub(super) fn card(record: &Record) -> Markup {
    let Some(request) = &record.request else {
        return Markup::default();
    };
    html! {
        section class="card" aria-label="Inputs" {
            header { h2 { "Inputs" } span class="dim" { "as resolved; secrets are left out" } }
            div class="body" {
                dl class="images" {
                    div { dt { "File" } dd { code { (request.file) } } }
                    (context(record, request))
                    @for (spelling, pin) in &request.pins { div { dt { (spelling) } dd { (pinned(pin)) } } }
                    @for (image, content) in &request.bases {
                        div { dt { "Base" } dd { code { (image) } " " (digest(content)) } }
                    }
                    @if !request.vars.registry.is_empty() {
                        div { dt { "Registry" } dd { code { (request.vars.registry) } } }
                    }
                    @if !request.allow.is_empty() { div { dt { "Allowed" } dd { (request.allow.join(", ")) } } }
                    @for (name, value) in &request.values {
                        div { dt { (name) } dd { code { (text(value)) } } }
                    }
                }
                details { summary { "Task file" } (painted(&request.text)) }
            }
        }
    }
}

/// Where the files came from, and what they were: what the worker found out goes before what was asked.
fn context(record: &Record, request: &Request) -> Markup {
    let prepared = &record.run.prepared;
    let found: Option<Pin> = serde_json::from_value(prepared["context"].clone()).ok();
    let pin = found.as_ref().or(request.pin.as_ref());
    let or = |key: &str, asked: &str| {
        let found = prepared[key].as_str().filter(|it| !it.is_empty());
        found.unwrap_or(asked).to_owned()
    };
    let commit = or("commit", &request.vars.commit);
    let branch = or("branch", &request.vars.branch);
    html! {
        @if let Some(folder) = &request.context { div { dt { "Folder" } dd { code { (folder.display()) } } } }
        @if let Some(pin) = pin { div { dt { "Context" } dd { (pinned(pin)) } } }
        @if !commit.is_empty() { div { dt { "Commit" } dd { code { (commit) } } } }
        @if !branch.is_empty() { div { dt { "Branch" } dd { code { (branch) } } } }
        @if !request.vars.git_tag.is_empty() { div { dt { "Tag" } dd { code { (request.vars.git_tag) } } } }
    }
}

/// What a context stood for.
fn pinned(pin: &Pin) -> Markup {
    html! {
        @match pin {
            Pin::Commit { url, reference, directory, .. } => {
                code { (url) } " at " code { (reference) }
                @if !directory.is_empty() { " in " code { (directory) } }
            },
            Pin::Archive { url, digest: content } => {
                code { (url.as_deref().unwrap_or("standard input")) } " " (digest(content))
            },
            Pin::Artifact { name, digest: content } => { code { (name) } " " (digest(content)) },
            Pin::Upload { digest: content } => { "uploaded " (digest(content)) },
            Pin::Folder { digest: content } => { "the folder's files, kept as " (digest(content)) },
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}
