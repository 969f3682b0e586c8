//! What a step used and made: images, their digests, what they stand on.

use maud::{Markup, html};
use serde_json::Value;

/// The images of a step's record.
pub(super) fn images(record: &Value) -> Markup {
    let elements: Vec<&Value> = record.as_array().into_iter().flatten().collect();
    let named = elements.iter().any(|it| name(&it["image"]).is_some());
    html! {
        @if named {
            dl class="images" {
                @for element in &elements { (image(element)) }
            }
        }
    }
}

fn image(element: &Value) -> Markup {
    let bases = [&element["runtime-dependency"]].into_iter();
    let bases = bases.chain(
        element["buildtime-dependency"]
            .as_array()
            .into_iter()
            .flatten(),
    );
    let bases: Vec<&Value> = bases.filter(|it| name(it).is_some()).collect();
    html! {
        @if let Some(name) = name(&element["image"]) {
            div { dt { "Image" } dd { code { (name) } (digest(&element["image"])) } }
        }
        @for base in bases {
            div { dt { "Stands on" } dd { code { (name(base).unwrap_or_default()) } (digest(base)) } }
        }
    }
}

fn name(image: &Value) -> Option<&str> {
    image["reference"].as_str().filter(|it| !it.is_empty())
}

fn digest(image: &Value) -> Markup {
    let digest = image["digest"].as_str().filter(|it| !it.is_empty());
    html! { @if let Some(digest) = digest { code class="digest" { (digest) } } }
}
