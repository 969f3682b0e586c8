//! `/tokens`: who may use the server; a new token is shown once.

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, Redirect},
};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use secrecy::ExposeSecret;

use super::{
    failure::Failure,
    form::{Posted, button, proof},
    frame::page,
    session::Viewer,
    table::table,
    when::ago,
};
use crate::{
    ports::{Role, TokenRow},
    server::Api,
};

/// The longest time that a token can be given here, in days.
const MOST_DAYS: i64 = 3650;

/// What is told of each token; the last column holds what may be done with it.
const COLUMNS: [(&str, &str); 6] = [
    ("", "Name"),
    ("", "Role"),
    ("", "State"),
    ("wide number", "Made"),
    ("wide number", "Last used"),
    ("number", "Action"),
];

/// Shows all tokens.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Html<String>, Failure> {
    viewer.caller.may(Role::Admin)?;
    whole(&api, &viewer, None).await
}

/// Makes a token and shows its secret, this once.
pub(super) async fn create(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    posted: Posted,
) -> Result<Html<String>, Failure> {
    viewer.caller.may(Role::Admin)?;
    let refuse = |message: String| Failure::new(StatusCode::BAD_REQUEST, message);
    let role: Role = posted.text("role").parse().map_err(refuse)?;
    let days = posted.given("days").map(|it| it.parse::<i64>()).transpose();
    let days = days
        .ok()
        .filter(|it| it.is_none_or(|it| (1..=MOST_DAYS).contains(&it)));
    let days = days.ok_or_else(|| refuse(format!("days are a number from 1 to {MOST_DAYS}")))?;
    let until = days.map(|it| api.app.ports.clock.now() + TimeDelta::days(it));
    let (token, secret) = api
        .app
        .create_token(posted.text("name"), role, until)
        .await?;
    let said = html! {
        p class="said" role="status" {
            "The token of " (token.name) ", shown this once: " code { (secret.expose_secret()) }
        }
    };
    whole(&api, &viewer, Some(said)).await
}

/// Revokes a token.
pub(super) async fn revoke(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(token): Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Admin)?;
    api.app.revoke_token(&token).await?;
    Ok(Redirect::to("/tokens"))
}

async fn whole(api: &Api, viewer: &Viewer, said: Option<Markup>) -> Result<Html<String>, Failure> {
    let tokens = api.app.access.tokens().await?;
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" { h1 { "Tokens" } }
        @if let Some(said) = said { (said) }
        form method="post" action="/tokens" class="filters" {
            (proof(viewer))
            label class="visually-hidden" for="name" { "Name" }
            input id="name" name="name" placeholder="Who or what will bear it" required autocomplete="off";
            label class="visually-hidden" for="role" { "Role" }
            select id="role" name="role" { @for role in Role::ALL { option value=(role) { (role) } } }
            label class="visually-hidden" for="days" { "Days until it expires" }
            input id="days" name="days" inputmode="numeric" size="12" placeholder="Days, or ever" autocomplete="off";
            button class="main" { "Make a token" }
        }
        (table("Tokens", &COLUMNS, &html! { tbody { @for it in &tokens { (row(viewer, it, now)) } } }))
    };
    Ok(page(viewer, "/tokens", "Tokens", body))
}

fn row(viewer: &Viewer, token: &TokenRow, now: DateTime<Utc>) -> Markup {
    let state = match (token.revoked_at, token.is_good(now)) {
        (Some(_), _) => "revoked",
        (None, false) => "expired",
        (None, true) => "good",
    };
    html! {
        tr {
            td class="what" { b { (token.name) } span class="id" { (token.id) } }
            td { (token.role) }
            td class=[(state != "good").then_some("dim")] { (state) }
            td class="wide number dim" { (ago(token.created_at, now)) }
            td class="wide number dim" { @match token.last_used_at { Some(at) => (ago(at, now)), None => "never" } }
            td class="number" {
                @if state == "good" { (button(viewer, &format!("/tokens/{}/revoke", token.id), "Revoke", "danger")) }
            }
        }
    }
}
