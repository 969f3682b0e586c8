//! `/connections`: the registries that runs may log in to and the secrets they may use, without any value.

use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{failure::Failure, frame::page, secrets, session::Viewer, table::table, when::ago};
use crate::{
    ports::{Connection, PasswordSource, Role},
    server::Api,
};

/// What is told of each connection.
const COLUMNS: [(&str, &str); 6] = [
    ("", "Name"),
    ("", "Registry"),
    ("", "User"),
    ("wide", "Password"),
    ("wide", "For"),
    ("number", "Changed"),
];

/// Shows all connections.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Html<String>, Failure> {
    viewer.caller.may(Role::Editor)?;
    let all = api.app.credentials.connections.connections().await?;
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" { h1 { "Connections" } }
        @if all.is_empty() {
            div class="empty" {
                p { "No connection is stored." }
                p class="dim" { code { "careen connection add" } " stores the login of a registry, sealed." }
            }
        } @else {
            (table("Connections", &COLUMNS, &html! { tbody { @for it in &all { (row(it, now)) } } }))
        }
        (secrets::list(&api, now).await?)
    };
    Ok(page(&viewer, "/connections", "Connections", body))
}

fn row(it: &Connection, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td class="what" { b { (it.name) } }
            td { code { (it.place()) } }
            td { (it.username) }
            td class="wide dim" { (password(it)) }
            td class="wide dim" { @if it.pull_only { "pulls" } @else { "pulls and pushes" } }
            td class="number dim" { (ago(it.updated_at, now)) }
        }
    }
}

fn password(connection: &Connection) -> &'static str {
    match connection.password {
        PasswordSource::Sealed(_) => "kept sealed",
        PasswordSource::DockerConfig => "the docker client's own",
    }
}
