//! `/tasks/{task}/edit` and `/new-task`: the definition and the steps, checked as one types.

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::html;

use crate::{
    app::TaskWish,
    ports::{Expected, Role},
    server::{
        Api,
        runs::check_allowed,
        ui::{
            failure::Failure,
            form::{Posted, proof},
            frame::page,
            session::Viewer,
            tasks::path,
        },
    },
    tasks::{Definition, read, write},
};

/// What a new task begins with.
const STEPS: &str = "version: v1.1.0\nsteps:\n  - id: hello\n    cmd: busybox echo hello\n";

/// A definition as one edits it: the steps stand apart.
struct Draft {
    name: String,
    manifest: String,
    steps: String,
    expected: String,
    wrong: Option<String>,
}

/// Shows the form for a new task.
pub(in crate::server::ui) async fn new(
    Extension(viewer): Extension<Viewer>,
) -> Result<Html<String>, Failure> {
    viewer.caller.may(Role::Editor)?;
    let draft = Draft {
        name: String::new(),
        manifest: "timeout_seconds: 3600\n".to_owned(),
        steps: STEPS.to_owned(),
        expected: String::new(),
        wrong: None,
    };
    Ok(form(&viewer, &draft))
}

/// Shows the form for a task.
pub(in crate::server::ui) async fn edit(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(name): Path<String>,
) -> Result<Html<String>, Failure> {
    viewer.caller.may(Role::Editor)?;
    let row = api.app.tasks.task(&name).await?;
    let mut definition = row.definition;
    let steps = definition.yaml.take().unwrap_or_default();
    let manifest = write(&definition)
        .map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let draft = Draft {
        name,
        manifest,
        steps,
        expected: row.version.to_string(),
        wrong: None,
    };
    Ok(form(&viewer, &draft))
}

/// Stores a new task.
pub(in crate::server::ui) async fn create(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    posted: Posted,
) -> Result<Response, Failure> {
    let name = posted.text("name").to_owned();
    put(&api, &viewer, name, &posted).await
}

/// Stores a new version of a task.
pub(in crate::server::ui) async fn save(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    put(&api, &viewer, name, &posted).await
}

/// Stores what was typed; what is wrong with it is said above it, and nothing of it is lost.
async fn put(
    api: &Api,
    viewer: &Viewer,
    name: String,
    posted: &Posted,
) -> Result<Response, Failure> {
    viewer.caller.may(Role::Editor)?;
    let mut draft = Draft {
        // Browsers end lines as they please.
        manifest: posted.raw("manifest").replace("\r\n", "\n"),
        steps: posted.raw("steps").replace("\r\n", "\n"),
        expected: posted.text("version").to_owned(),
        wrong: None,
        name,
    };
    match stored(api, viewer, &draft).await {
        Ok(to) => Ok(Redirect::to(&to).into_response()),
        Err(failure) => {
            let (message, hint) = failure.said();
            draft.wrong = Some(format!("{message}\n{}", hint.unwrap_or_default()));
            let page = form(viewer, &draft);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn stored(api: &Api, viewer: &Viewer, draft: &Draft) -> Result<String, Failure> {
    let definition = defined(draft)?;
    check_allowed(api, &definition.allow)?;
    let expected = match draft.expected.parse() {
        Ok(version) => Expected::Version(version),
        Err(_) => Expected::Nothing,
    };
    let wish = TaskWish {
        definition,
        secrets: std::collections::BTreeMap::new(),
        expected,
        manifest: None,
    };
    let row = api.app.put_task(wish, &viewer.caller.who).await?;
    Ok(path(&row.definition.name))
}

fn defined(draft: &Draft) -> Result<Definition, Failure> {
    let refuse = |message: String| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, message);
    if draft.name.is_empty() {
        return Err(refuse("a task needs a name".to_owned()));
    }
    let mut text = draft.manifest.clone();
    if !draft.steps.trim().is_empty() {
        // Added as a string of JSON, which YAML reads as it stands.
        text.push_str(&format!(
            "\nyaml: {}\n",
            serde_json::Value::from(draft.steps.as_str())
        ));
    }
    let definition = read(&text, &draft.name).map_err(|error| refuse(error.to_string()))?;
    if definition.name != draft.name {
        return Err(refuse(format!(
            "the definition names {}, not {}",
            definition.name, draft.name
        )));
    }
    Ok(definition)
}

fn form(viewer: &Viewer, draft: &Draft) -> Html<String> {
    let is_new = draft.expected.is_empty();
    let action = if is_new {
        "/new-task".to_owned()
    } else {
        format!("{}/edit", path(&draft.name))
    };
    let title = if is_new {
        "New task".to_owned()
    } else {
        format!("Edit {}", draft.name)
    };
    let body = html! {
        div class="title" { h1 { (title) } }
        @if let Some(wrong) = &draft.wrong { p class="wrong" role="alert" { (wrong.trim()) } }
        form method="post" action=(action) class="stack edit" {
            (proof(viewer))
            input type="hidden" name="version" value=(draft.expected);
            @if is_new {
                label for="name" { "Name" }
                input id="name" name="name" value=(draft.name) required autocomplete="off" spellcheck="false";
            }
            label for="steps" { "Steps" }
            p class="dim" { "The task file. Leave it empty where the definition names a file or an image to build." }
            div class="editor" data-editor="/check" {
                // A newline at the very beginning is dropped by browsers.
                textarea id="steps" name="steps" rows="20" spellcheck="false" wrap="off"
                    aria-describedby="findings" { "\n" (draft.steps) }
            }
            div role="status" { ul id="findings" class="findings" {} }
            label for="manifest" { "Definition" }
            div class="editor" data-editor="" {
                textarea id="manifest" name="manifest" rows="10" spellcheck="false" wrap="off" { "\n" (draft.manifest) }
            }
            button class="main" { "Save" }
        }
    };
    page(viewer, "/tasks", &title, body)
}
