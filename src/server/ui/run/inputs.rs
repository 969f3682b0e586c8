//! What a run was made from: context, values, task file, all without secrets.

use maud::{Markup, html};
use serde_json::Value;

use super::record::Record;
use crate::server::ui::yaml::painted;

/// The inputs, folded.
pub(super) fn card(record: &Record) -> Markup {
    let Some(request) = &record.request else {
        return Markup::default();
    };
    let context = request
        .pin
        .as_ref()
        .and_then(|pin| serde_json::to_value(pin).ok());
    let vars = &request.vars;
    html! {
        section class="card" aria-label="Inputs" {
            header { h2 { "Inputs" } span class="dim" { "as resolved; secrets are left out" } }
            div class="body" {
                dl class="images" {
                    div { dt { "File" } dd { code { (request.file) } } }
                    @if let Some(folder) = &request.context {
                        div { dt { "Context" } dd { code { (folder.display()) } } }
                    }
                    @if let Some(pin) = context { div { dt { "Context" } dd { code { (pin) } } } }
                    @if !vars.commit.is_empty() {
                        div { dt { "Commit" } dd { code { (vars.commit) } " " (vars.branch) } }
                    }
                    @if !vars.registry.is_empty() { div { dt { "Registry" } dd { code { (vars.registry) } } } }
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

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}
