//! What pages follow: parts of themselves, sent again whenever they have changed.

use std::{collections::HashMap, convert::Infallible, future::Future, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream::unfold};
use maud::Markup;
use serde::Serialize;

/// A part of a page: an element with an id.
#[derive(Debug, Serialize)]
pub(super) struct Piece {
    /// The element's id.
    id: String,
    /// The whole element.
    html: String,
    /// The element to put it into when the page has none of this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<String>,
    /// Whether it is left alone once the page has it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_once: bool,
}

impl Piece {
    /// Makes a piece of an element that the page has.
    pub fn new(id: impl Into<String>, html: Markup) -> Self {
        Self {
            id: id.into(),
            html: html.into_string(),
            into: None,
            is_once: false,
        }
    }

    /// Makes a piece that may be new to the page, as the last in this element.
    pub fn inside(into: impl Into<String>, id: impl Into<String>, html: Markup) -> Self {
        Self {
            into: Some(into.into()),
            ..Self::new(id, html)
        }
    }

    /// Leaves the element alone where the page has it already: people may have opened it, or read in it.
    pub fn once(self) -> Self {
        Self {
            is_once: true,
            ..self
        }
    }
}

/// What a page looks like at one moment.
#[derive(Debug, Default, Serialize)]
pub(super) struct Look {
    /// Its parts.
    pub pieces: Vec<Piece>,
    /// The ids of all that an element holds, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<(&'static str, Vec<String>)>,
    /// How many lines each log has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<(String, u64)>,
    /// Whether nothing more will change.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_last: bool,
}

/// Where looks come from.
pub(super) trait Source: Send + 'static {
    /// Looks; `None` ends the stream.
    fn look(&mut self) -> impl Future<Output = Option<Look>> + Send;
    /// Waits until it is time to look again.
    fn wait(&mut self) -> impl Future<Output = ()> + Send;
}

/// Tells the news of a source until it ends.
pub(super) fn follow<S: Source>(
    source: S,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send> {
    let messages = news(source).map(|look| {
        let text = serde_json::to_string(&look).unwrap_or_default();
        Ok(Event::default().event("look").data(text))
    });
    Sse::new(messages).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// Looks at once and then after each wait, and gives what is new.
fn news<S: Source>(source: S) -> impl Stream<Item = Look> + Send {
    let follower = Some((source, Told::default(), false));
    unfold(follower, |follower| async move {
        let (mut source, mut told, mut has_looked) = follower?;
        loop {
            if has_looked {
                source.wait().await;
            }
            has_looked = true;
            let mut look = source.look().await?;
            if told.keep_news(&mut look) {
                let next = (!look.is_last).then_some((source, told, has_looked));
                return Some((look, next));
            }
        }
    })
}

/// What a follower has been told.
#[derive(Default)]
struct Told {
    pieces: HashMap<String, String>,
    order: Vec<String>,
    logs: HashMap<String, u64>,
}

impl Told {
    /// Drops what was told before; `false` when nothing is left.
    fn keep_news(&mut self, look: &mut Look) -> bool {
        look.pieces.retain(|piece| {
            let before = self.pieces.insert(piece.id.clone(), piece.html.clone());
            before.as_ref() != Some(&piece.html)
        });
        look.logs
            .retain(|(log, lines)| self.logs.insert(log.clone(), *lines) != Some(*lines));
        if let Some((_, ids)) = &look.order {
            if *ids == self.order {
                look.order = None;
            } else {
                self.order.clone_from(ids);
            }
        }
        look.is_last || !look.pieces.is_empty() || !look.logs.is_empty() || look.order.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use maud::html;

    use super::*;

    /// Looks different every time, or always the same.
    struct Fake {
        changes: bool,
        looks: usize,
        waits: Arc<AtomicUsize>,
    }

    impl Source for Fake {
        async fn look(&mut self) -> Option<Look> {
            self.looks += 1;
            let said = if self.changes { self.looks } else { 0 };
            Some(Look {
                pieces: vec![Piece::new("a", html! { p id="a" { (said) } })],
                is_last: self.looks == 4,
                ..Look::default()
            })
        }

        async fn wait(&mut self) {
            self.waits.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn every_look_but_the_first_is_waited_for_and_only_news_are_told() {
        for (changes, told) in [(true, vec![1, 1, 1, 1]), (false, vec![1, 0])] {
            let waits = Arc::new(AtomicUsize::new(0));
            let source = Fake {
                changes,
                looks: 0,
                waits: waits.clone(),
            };
            let pieces: Vec<usize> = news(source).map(|look| look.pieces.len()).collect().await;
            assert_eq!(pieces, told);
            assert_eq!(waits.load(Ordering::Relaxed), 3);
        }
    }
}
