//! Deliveries that were refused: no more is kept of them than when, from where, how large and why.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    ports::Rejection,
    server::{
        Api,
        ui::{failure::Failure, table::table, when::ago},
    },
};

/// Refused deliveries that are shown.
const REFUSED: u32 = 20;

/// What is told of each.
const COLUMNS: [(&str, &str); 4] = [
    ("", "From"),
    ("", "Why"),
    ("number", "Bytes"),
    ("number", "When"),
];

/// The last refused deliveries; nothing when there are none.
pub(super) async fn list(api: &Api, now: DateTime<Utc>) -> Result<Markup, Failure> {
    let refused = api.app.deliveries.rejections(REFUSED).await?;
    Ok(html! {
        @if !refused.is_empty() {
            section class="part" aria-label="Refused" {
                header class="title" { h2 { "Refused" } span class="dim" { "what proved no secret, or was too large" } }
                (table("Refused deliveries", &COLUMNS, &html! { tbody { @for it in &refused { (row(it, now)) } } }))
            }
        }
    })
}

fn row(it: &Rejection, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td { code { (it.from) } }
            td { (it.reason) }
            td class="number" { (it.bytes) }
            td class="number dim" { (ago(it.at, now)) }
        }
    }
}
