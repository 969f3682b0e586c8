//! The secrets that are kept for tasks, by name alone.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{failure::Failure, table::table, when::ago};
use crate::server::Api;

/// What is told of each secret.
const COLUMNS: [(&str, &str); 2] = [("", "Secret"), ("number", "Changed")];

/// The names of all secrets; their values are sealed and shown to nobody.
pub(super) async fn list(api: &Api, now: DateTime<Utc>) -> Result<Markup, Failure> {
    let secrets = api.app.credentials.secrets.stored_secrets().await?;
    Ok(html! {
        section class="part" aria-label="Kept secrets" {
            header class="title" { h2 { "Secrets" } span class="dim" { "kept sealed; tasks name them" } }
            @if secrets.is_empty() {
                p class="dim" { "None is stored. " code { "careen secret set" } " stores one." }
            } @else {
                (table("Secrets", &COLUMNS, &html! {
                    tbody {
                        @for it in &secrets {
                            tr { td class="what" { b { (it.name) } } td class="number dim" { (ago(it.updated_at, now)) } }
                        }
                    }
                }))
            }
        }
    })
}
