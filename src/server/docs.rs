//! The description of the API, generated from the handlers, and the page to try it.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

/// What the description says of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "careen", description = "Container build tasks: runs, their logs, stored tasks and tokens."),
    modifiers(&Bearer),
    security(("token" = [])),
)]
pub(super) struct Docs;

/// Every request bears a token.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", scheme);
    }
}

/// The description of the whole API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    super::router::api_routes().split_for_parts().1
}
