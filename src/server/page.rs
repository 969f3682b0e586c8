//! Lists in pages: a cursor names where the next one begins.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Items of a page when nothing is said.
const LIMIT: u32 = 50;
/// The largest page.
const MAX_LIMIT: u32 = 500;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
    /// At most so many items, up to 500.
    #[param(default = 50)]
    pub limit: Option<u32>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; nothing on the last one.
    pub next: Option<String>,
}

impl PageQuery {
    /// How many items to ask the store for: one more than are shown tells whether there is another page.
    pub fn one_more(&self) -> u32 {
        self.limit() + 1
    }

    /// Cuts what the store gave to a page; `cursor` names an item.
    pub fn cut<T>(&self, mut items: Vec<T>, cursor: impl Fn(&T) -> String) -> Page<T> {
        let limit = self.limit() as usize;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(cursor);
        Page { items, next }
    }

    fn limit(&self) -> u32 {
        self.limit.unwrap_or(LIMIT).clamp(1, MAX_LIMIT)
    }
}

impl<T> Page<T> {
    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}
