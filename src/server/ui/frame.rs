//! What lies around every page: head, navigation, who is signed in.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::{assets::url, form::button, session::Viewer};
use crate::ports::Role;

/// The pages that the navigation leads to: where, their names, and who may see them.
const TABS: [(&str, &str, Role); 9] = [
    ("/", "Runs", Role::Reader),
    ("/tasks", "Tasks", Role::Reader),
    ("/fleet", "Fleet", Role::Reader),
    ("/deliveries", "Hooks", Role::Reader),
    ("/workers", "Workers", Role::Reader),
    ("/connections", "Connections", Role::Editor),
    ("/tokens", "Tokens", Role::Admin),
    ("/audit", "Audit", Role::Admin),
    ("/docs", "API", Role::Reader),
];

/// Lays a page out; `tab` is the path of the entry that it belongs to.
pub(super) fn page(viewer: &Viewer, tab: &str, title: &str, body: Markup) -> Html<String> {
    let whole = shell(
        title,
        html! {
            a class="skip" href="#content" { "Skip to content" }
            header class="bar" {
                a class="brand" href="/" { (mark()) span { "careen" } }
                nav aria-label="Main" {
                    @for (path, label, role) in TABS {
                        @if viewer.may(role) {
                            a href=(path) aria-current=[(path == tab).then_some("page")] { (label) }
                        }
                    }
                }
                div class="who" {
                    span class="live-mark" data-live-mark hidden { "live" }
                    span class="name" title=(viewer.caller.who) { (viewer.caller.role) }
                    @if viewer.is_signed_in { (button(viewer, "/logout", "Sign out", "quiet")) }
                }
            }
            main id="content" tabindex="-1" { (body) }
        },
    );
    Html(whole.into_string())
}

/// Lays out a page for who is not signed in.
pub(super) fn bare(title: &str, body: Markup) -> Markup {
    shell(
        title,
        html! {
            header class="bar" { a class="brand" href="/" { (mark()) span { "careen" } } }
            (body)
        },
    )
}

fn shell(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · careen" }
                link rel="icon" href=(url("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(url("careen.css"));
                script src=(url("careen.js")) defer {}
                script src=(url("log.js")) defer {}
                script src=(url("editor.js")) defer {}
            }
            body { (body) }
        }
    }
}

/// The hull that is careen's mark.
fn mark() -> Markup {
    html! {
        svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" {
            path class="hull" d="M2 10 L21 5 C20 13 15 19 7 20 C4.5 17 2.8 13.6 2 10 Z" {}
            path class="water" d="M1 22 q3 -2.4 6 0 t6 0 t6 0 t4 -.4" {}
        }
    }
}
