//! Running a task with other values, secret values, build arguments, stage, file or context.

use std::collections::BTreeMap;

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Redirect,
};
use maud::{Markup, html};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::{
    app::Overrides,
    ports::{Placement, Role, TaskRow},
    server::{
        Api,
        runs::check_allowed,
        ui::{
            failure::Failure,
            form::{Posted, proof},
            session::Viewer,
            tasks::path,
        },
    },
    spec::context::{self, ContextRef},
    tasks::{Definition, Text},
};

/// The form: the task's values to be changed and room for more, and what else one run may do differently.
pub(super) fn form(viewer: &Viewer, row: &TaskRow) -> Markup {
    let task = &row.definition;
    html! {
        details class="card run-now" {
            summary { "Run now" }
            form method="post" action={ (path(&task.name)) "/run" } class="stack body" {
                (proof(viewer))
                label for="values" { "Values" }
                p class="dim" { "One " code { "NAME=value" } " a line; they count for this run alone." }
                textarea id="values" name="values" rows=(task.values.len().clamp(2, 12)) spellcheck="false" {
                    @for (name, value) in &task.values { (name) "=" (plain(value)) "\n" }
                }
                label for="secrets" { "Secret values" }
                p class="dim" { "The same, sealed and never shown again. What is not named stays as the task has it." }
                textarea id="secrets" name="secrets" class="secret" rows="2" spellcheck="false" autocomplete="off" {}
                @if let Some(build) = &task.build {
                    label for="arguments" { "Build arguments" }
                    textarea id="arguments" name="arguments" rows=(build.arguments.len().clamp(2, 12)) spellcheck="false" {
                        @for (name, value) in &build.arguments { (name) "=" (value) "\n" }
                    }
                    (field("target", "Stage", build.target.as_deref().unwrap_or("the last one")))
                }
                (field("file", file_label(task), &file(task)))
                @if viewer.may(Role::Editor) {
                    (field("context", "Context", task.context.as_deref().unwrap_or("none")))
                    p class="dim" { "Another repository, archive or image; folders of the server are the task's own to name." }
                }
                button class="main" { "Run " (task.name) }
            }
        }
    }
}

/// A field that is empty for what the task says.
fn field(name: &str, label: &str, usual: &str) -> Markup {
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) placeholder=(usual) autocomplete="off" spellcheck="false";
    }
}

fn file_label(task: &Definition) -> &'static str {
    if task.build.is_some() {
        "Dockerfile"
    } else {
        "Task file"
    }
}

/// The file that the task says.
fn file(task: &Definition) -> String {
    match (&task.build, task.text()) {
        (Some(build), _) => build.dockerfile.clone(),
        (None, Text::File(file)) => file,
        (None, Text::Inline(_)) => "the task's own steps".to_owned(),
    }
}

/// Queues a run and leads to it.
pub(in crate::server::ui) async fn run(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(task): Path<String>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Runner)?;
    let row = api.app.tasks.task(&task).await?;
    check_allowed(&api, &row.definition.allow)?;
    let context = posted.given("context");
    if let Some(context) = &context {
        check_context(&viewer, context)?;
    }
    let overrides = Overrides {
        context,
        secrets: secrets(posted.raw("secrets"))?,
        values: changed(&row.definition.values, posted.raw("values"))?,
        arguments: arguments(&row.definition, posted.raw("arguments"))?,
        target: posted.given("target"),
        file: posted.given("file"),
    };
    let (mut request, secrets) = api.app.asked_request(&row, overrides).await?;
    request.bind(viewer.caller.credentials.as_ref());
    if request.deferred.is_none() {
        api.app
            .read_alias_files(&mut request, &secrets, false)
            .await?;
        // What is wrong is said now, not by a run that fails.
        api.app.prepare(&request, &secrets)?;
    }
    let place = Placement::from(&row.definition);
    let queued = api
        .app
        .enqueue(request, &secrets, &place, "started by hand");
    let (id, _) = queued.await?;
    Ok(Redirect::to(&format!("/runs/{id}")))
}

/// Another context brings its own steps, which see the task's secrets: that is for those who may change the task. A
/// folder would be any of the server's.
fn check_context(viewer: &Viewer, context: &str) -> Result<(), Failure> {
    viewer.caller.may(Role::Editor)?;
    let read = context::read(context).map_err(|error| {
        let failure = Failure::new(StatusCode::BAD_REQUEST, format!("{context}: {error}"));
        failure.hint("Name a repository, an archive or an image")
    })?;
    match read.context {
        ContextRef::Folder(_) | ContextRef::Nothing => {
            let message = format!("{context} is no context that lies elsewhere");
            let failure = Failure::new(StatusCode::BAD_REQUEST, message);
            Err(failure.hint("Name a repository, an archive or an image"))
        }
        _ => Ok(()),
    }
}

/// The secret values that are given for this run.
fn secrets(text: &str) -> Result<BTreeMap<String, SecretString>, Failure> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    lines
        .map(|line| match line.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), SecretString::from(value))),
            // The line itself is not repeated: it may be the secret.
            None => {
                let message = "a line of the secret values is no NAME=value";
                let failure = Failure::new(StatusCode::BAD_REQUEST, message);
                Err(failure.hint("Write one value a line"))
            }
        })
        .collect()
}

/// The values that differ from the task's own; those keep their types.
fn changed(own: &Map<String, Value>, text: &str) -> Result<Map<String, Value>, Failure> {
    let pairs = pairs(text)?.into_iter();
    let new = pairs.filter(|(name, value)| own.get(name).map(plain).as_ref() != Some(value));
    Ok(new
        .map(|(name, value)| (name, Value::from(value)))
        .collect())
}

/// The build arguments that differ from the task's own.
fn arguments(task: &Definition, text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let own = task.build.as_ref().map(|it| &it.arguments);
    let mut pairs = pairs(text)?;
    pairs.retain(|(name, value)| own.and_then(|it| it.get(name)) != Some(value));
    Ok(pairs.into_iter().collect())
}

/// Reads `NAME=value`, one a line.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    lines
        .map(|line| match line.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => {
                let message = format!("{line:?} is no NAME=value");
                let failure = Failure::new(StatusCode::BAD_REQUEST, message);
                Err(failure.hint("Write one value a line"))
            }
        })
        .collect()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}
