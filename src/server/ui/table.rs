//! Tables: their heads, and the frame in which wide ones are scrolled.

use maud::{Markup, html};

/// A table in a frame of its own; columns are their classes and titles.
pub(super) fn table(label: &str, columns: &[(&str, &str)], body: &Markup) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(label) {
            table class="list" {
                thead {
                    tr {
                        @for (class, title) in columns {
                            th scope="col" class=[Some(class).filter(|it| !it.is_empty())] { (title) }
                        }
                    }
                }
                (body)
            }
        }
    }
}
