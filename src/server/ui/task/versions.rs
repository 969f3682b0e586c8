//! `/tasks/{task}/versions`: what a task was, and what each version changed.

use axum::{
    Extension,
    extract::{Path, State},
    response::Html,
};
use maud::{Markup, html};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::{
    ports::TaskVersion,
    server::{
        Api,
        ui::{failure::Failure, frame::page, session::Viewer, tasks::path, when::ago},
    },
    tasks::{Change, Definition, diff},
};

/// Versions that are shown.
const VERSIONS: usize = 50;

/// Shows the versions, newest first, each with what it changed.
pub(in crate::server::ui) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(name): Path<String>,
) -> Result<Html<String>, Failure> {
    let versions = api.app.tasks.task_versions(&name).await?;
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" { h1 { a href=(path(&name)) { (name) } " › versions" } }
        @for (place, version) in versions.iter().take(VERSIONS).enumerate() {
            section class="card" id={ "v" (version.version) } aria-label={ "Version " (version.version) } {
                header {
                    h2 { "Version " (version.version) }
                    span class="dim" { "by " (version.by) ", " (ago(version.at, now)) }
                }
                div class="body" { (changes(versions.get(place + 1), version)) }
            }
        }
    };
    Ok(page(&viewer, "/tasks", &format!("{name} versions"), body))
}

fn changes(before: Option<&TaskVersion>, version: &TaskVersion) -> Markup {
    let Some(new) = &version.definition else {
        return html! { p { "The task was deleted." } };
    };
    let old = before.and_then(|it| it.definition.clone());
    let is_first = old.is_none();
    let old = old.unwrap_or_else(|| Definition::named(&new.name));
    let changes = diff(&old, new);
    html! {
        @if is_first { p class="dim" { "The task was stored for the first time, or after it was deleted." } }
        @for change in &changes { (shown(change)) }
    }
}

fn shown(change: &Change) -> Markup {
    let (before, after) = (text(&change.before), text(&change.after));
    let lines = TextDiff::from_lines(&before, &after);
    html! {
        p class="field" { code { (change.field) } }
        pre class="file diff" tabindex="0" {
            @for group in lines.grouped_ops(3) {
                @for op in &group {
                    @for line in lines.iter_changes(op) {
                        @match line.tag() {
                            ChangeTag::Equal => span class="same" { "  " (line.value().trim_end_matches('\n')) "\n" },
                            ChangeTag::Delete => del { "- " (line.value().trim_end_matches('\n')) "\n" },
                            ChangeTag::Insert => ins { "+ " (line.value().trim_end_matches('\n')) "\n" },
                        }
                    }
                }
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => format!("{other:#}"),
    }
}
