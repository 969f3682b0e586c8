//! Pages that say what went wrong, and what to try.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use maud::html;

use super::frame::bare;
use crate::server::error::ApiError;

/// Why a page could not be shown.
#[derive(Debug)]
pub(super) struct Failure(ApiError);

impl Failure {
    /// Makes one.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(ApiError::new(status, "page", message))
    }

    /// Says what to try.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self(self.0.hint(hint))
    }

    /// What is wrong, and what to try, for a page that shows it in place.
    pub fn said(&self) -> (&str, Option<&str>) {
        let (_, message, hint) = self.0.said();
        (message, hint)
    }
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message, hint) = self.0.said();
        if status.is_server_error() {
            tracing::error!("{message}");
        }
        let title = status.canonical_reason().unwrap_or("It did not work");
        let page = bare(
            title,
            html! {
                main class="card narrow" {
                    p class="code" { (status.as_u16()) }
                    h1 { (title) }
                    p { (message) }
                    @if let Some(hint) = hint { p class="dim" { (hint) } }
                    p { a href="/" { "All runs" } }
                }
            },
        );
        (status, Html(page.into_string())).into_response()
    }
}

/// Says that there is nothing at a path: to browsers on a page, to programs as the API does.
pub(in crate::server) async fn nothing_here(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let error = ApiError::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        "there is nothing at this path",
    )
    .hint("/docs lists what there is");
    if accept.is_some_and(|it| it.contains("text/html")) {
        return Failure(error).into_response();
    }
    error.into_response()
}
