//! `/login` and `/logout`: a token makes a session.

use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{failure::Failure, form::Posted, frame::bare, session};
use crate::{app::SecretText, server::Api};

/// Where to go once signed in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

/// What the form holds.
#[derive(Deserialize)]
pub(super) struct Login {
    token: SecretText,
    next: Option<String>,
}

/// Shows the form.
pub(super) async fn show(Query(wanted): Query<Wanted>) -> Html<String> {
    Html(form(wanted.next.as_deref(), None).into_string())
}

/// Begins a session. There is nothing to forge here: who has the token may do what it allows.
pub(super) async fn sign_in(
    State(api): State<Api>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Failure> {
    let origin = headers.get(header::ORIGIN).and_then(|it| it.to_str().ok());
    let is_https = origin.is_some_and(|it| it.starts_with("https://"));
    let next = login.next.as_deref();
    let Some((cookie, caller)) = session::begin(&api, login.token.0, is_https).await? else {
        let said = "The token is not known, has expired or was revoked.";
        let page = form(next, Some(said)).into_string();
        return Ok((StatusCode::UNAUTHORIZED, Html(page)).into_response());
    };
    let to = Redirect::to(&local(next));
    let mut response = ([(header::SET_COOKIE, cookie)], to).into_response();
    response.extensions_mut().insert(caller);
    Ok(response)
}

/// Ends the session.
pub(super) async fn sign_out(_: Posted) -> Response {
    let cookie = [(header::SET_COOKIE, session::ending())];
    (cookie, Redirect::to("/login")).into_response()
}

/// A path of this server; an address that leads elsewhere is none.
fn local(next: Option<&str>) -> String {
    let is_local = |it: &&str| {
        let is_path = it.starts_with('/') && !it[1..].starts_with(['/', '\\']);
        is_path && !it.chars().any(char::is_control)
    };
    next.filter(is_local).unwrap_or("/").to_owned()
}

fn form(next: Option<&str>, wrong: Option<&str>) -> Markup {
    bare(
        "Sign in",
        html! {
            main class="card narrow" {
                h1 { "Sign in" }
                p class="dim" { "With a token: the first one was printed when the server first started, and "
                    code { "careen token create" } " makes more." }
                @if let Some(wrong) = wrong { p class="wrong" role="alert" { (wrong) } }
                form method="post" action="/login" class="stack" {
                    input type="hidden" name="next" value=(local(next));
                    label for="token" { "Token" }
                    input id="token" name="token" type="password" autocomplete="current-password"
                        required autofocus spellcheck="false";
                    button class="main" { "Sign in" }
                }
            }
        },
    )
}
