//! `/connections`: the registries that runs may log in to, without any secret.

use axum::{Extension, extract::State, response::Html};
use maud::html;

use super::{failure::Failure, frame::page, session::Viewer, when::ago};
use crate::{
    ports::{Connection, PasswordSource, Role},
    server::Api,
};

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
            div class="scroll" tabindex="0" role="region" aria-label="Connections" {
                table class="list" {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Registry" } th scope="col" { "User" }
                        th scope="col" class="wide" { "Password" } th scope="col" class="wide" { "For" } th scope="col" class="number" { "Changed" } } }
                    tbody {
                        @for it in &all {
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
                }
            }
        }
    };
    Ok(page(&viewer, "/connections", "Connections", body))
}

fn password(connection: &Connection) -> &'static str {
    match connection.password {
        PasswordSource::Sealed(_) => "kept sealed",
        PasswordSource::DockerConfig => "the docker client's own",
    }
}
