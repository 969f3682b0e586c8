//! Forms that change something: read only when they come from a page of ours.

use axum::{
    extract::{FromRequest, RawForm, Request},
    http::StatusCode,
};
use maud::{Markup, html};
use url::form_urlencoded;

use super::{failure::Failure, session::Viewer};

/// The field that proves where a form comes from.
const PROOF: &str = "proof";

/// The fields of a form whose proof was right.
pub(super) struct Posted(Vec<(String, String)>);

impl Posted {
    /// A field's text without space around it; empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field's text as it was typed.
    pub fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A field's text, if it has any.
    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned()).filter(|it| !it.is_empty())
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let viewer = request.extensions().get::<Viewer>().cloned();
        let RawForm(body) = RawForm::from_request(request, state)
            .await
            .map_err(|_| Failure::new(StatusCode::BAD_REQUEST, "the form cannot be read"))?;
        let fields: Vec<_> = form_urlencoded::parse(&body).into_owned().collect();
        let posted = Posted(fields);
        if viewer.is_some_and(|it| it.proves(posted.raw(PROOF))) {
            return Ok(posted);
        }
        let failure = Failure::new(
            StatusCode::FORBIDDEN,
            "the form was not made by a page of this session",
        );
        Err(failure.hint("Go back, load the page again and send the form once more"))
    }
}

/// The hidden field that every form bears.
pub(super) fn proof(viewer: &Viewer) -> Markup {
    html! { input type="hidden" name=(PROOF) value=(viewer.proof); }
}

/// A form that is one button.
pub(super) fn button(viewer: &Viewer, action: &str, label: &str, class: &str) -> Markup {
    html! {
        form method="post" action=(action) class="inline" {
            (proof(viewer))
            button class=(class) { (label) }
        }
    }
}
