//! Running a task with other values.

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Redirect,
};
use maud::{Markup, html};
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
};

/// The form: the task's values to be changed, and room for more.
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
                button class="main" { "Run " (task.name) }
            }
        }
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
    let overrides = Overrides {
        values: changed(&row.definition.values, posted.raw("values"))?,
        ..Overrides::default()
    };
    let (mut request, secrets) = api.app.task_request(&row, overrides).await?;
    api.app
        .read_alias_files(&mut request, &secrets, false)
        .await?;
    request.bind(viewer.caller.credentials.as_ref());
    // What is wrong is said now, not by a run that fails.
    api.app.prepare(&request, &secrets)?;
    let place = Placement::from(&row.definition);
    let queued = api
        .app
        .enqueue(request, &secrets, &place, "started by hand");
    let (id, _) = queued.await?;
    Ok(Redirect::to(&format!("/runs/{id}")))
}

/// The values that differ from the task's own; those keep their types.
fn changed(own: &Map<String, Value>, text: &str) -> Result<Map<String, Value>, Failure> {
    let mut values = Map::new();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let Some((name, value)) = line.split_once('=') else {
            let failure = Failure::new(
                StatusCode::BAD_REQUEST,
                format!("{line:?} is no NAME=value"),
            );
            return Err(failure.hint("Write one value a line"));
        };
        if own.get(name).map(plain).as_deref() != Some(value) {
            values.insert(name.to_owned(), Value::from(value));
        }
    }
    Ok(values)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}
