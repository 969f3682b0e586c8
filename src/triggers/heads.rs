//! Whether a commit is news: where a reference stands, and where it has stood.

/// A reference that is said to have moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The repository's key.
    pub repository: String,
    /// The full name of the reference.
    pub reference: String,
    /// Where it stood, if that is said.
    pub before: Option<String>,
    /// Where it stands; `None` when it is gone.
    pub commit: Option<String>,
    /// When, in milliseconds since 1970, by the code host's clock.
    pub at: Option<i64>,
    /// When a poll that saw it began, by the store's clock in milliseconds; what moved since then is newer.
    pub seen_at: Option<i64>,
}

/// What is known of a reference before it moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// Where it stands.
    pub head: Option<String>,
    /// When it came there by the code host's clock.
    pub at: Option<i64>,
    /// When it came there by the store's clock.
    pub moved_at: i64,
    /// How often the new commit has been its head; `None` when it was never heard of.
    pub visits: Option<u32>,
    /// Whether the commit it moves from was ever heard of.
    pub knows_before: bool,
}

/// Whether a commit is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The reference moves there, for so many times now.
    New {
        /// From 1.
        visit: u32,
    },
    /// The reference stands there already.
    Seen,
    /// The reference has moved on since.
    Late,
}

/// Says whether a move is news. A commit that was heard of before is news again only if the move begins where the
/// reference stands, comes from a commit nobody heard of, or is newer by the code host's own clock.
pub fn standing(to: &Move, position: &Position) -> Standing {
    let Some(commit) = &to.commit else {
        return Standing::New { visit: 0 };
    };
    let visit = position.visits.unwrap_or(0) + 1;
    let Some(head) = &position.head else {
        return Standing::New { visit };
    };
    if head == commit {
        return Standing::Seen;
    }
    if let Some(seen_at) = to.seen_at {
        return match seen_at > position.moved_at {
            true => Standing::New { visit },
            false => Standing::Late,
        };
    }
    let is_known = position.visits.is_some();
    let follows = to.before.as_ref() == Some(head);
    let skips = to.before.is_some() && !position.knows_before;
    let is_newer = matches!((to.at, position.at), (Some(at), Some(head_at)) if at > head_at);
    match !is_known || follows || skips || is_newer {
        true => Standing::New { visit },
        false => Standing::Late,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Move, Position, Standing, standing};

    /// Plays moves `before commit[@at]` one after the other, as a store would.
    fn play(moves: &[&str]) -> Vec<String> {
        let (mut head, mut head_at, mut visits) = (None, None, BTreeMap::<String, u32>::new());
        let mut said = Vec::new();
        for text in moves {
            let (before, rest) = text.split_once(' ').unwrap();
            let (commit, at) = rest.split_once('@').unwrap_or((rest, ""));
            let to = Move {
                repository: String::new(),
                reference: String::new(),
                before: Some(before.to_owned()).filter(|it| it != "-"),
                commit: Some(commit.to_owned()).filter(|it| it != "-"),
                at: at.parse().ok(),
                seen_at: None,
            };
            let position = Position {
                head: head.clone(),
                at: head_at,
                moved_at: 0,
                visits: visits.get(commit).copied(),
                knows_before: visits.contains_key(before),
            };
            let found = standing(&to, &position);
            if let Standing::New { visit } = found {
                visits.entry(before.to_owned()).or_default();
                visits.insert(commit.to_owned(), visit);
                (head, head_at) = (to.commit, to.at);
            }
            said.push(match found {
                Standing::New { visit } => format!("new {visit}"),
                Standing::Seen => "seen".to_owned(),
                Standing::Late => "late".to_owned(),
            });
        }
        said
    }

    #[test]
    fn a_move_is_news_once_and_late_when_the_reference_has_moved_on() {
        assert_eq!(play(&["- a", "a b", "a b"]), ["new 1", "new 1", "seen"]);
        assert_eq!(play(&["- a", "a b", "b c", "a b"])[3], "late");
        // The second of two pushes came first.
        assert_eq!(play(&["- a", "b c", "a b"]), ["new 1", "new 1", "late"]);
    }

    #[test]
    fn a_return_to_an_earlier_commit_is_a_visit_of_its_own() {
        assert_eq!(play(&["- a", "a b", "b a", "a b"])[2..], ["new 2", "new 2"]);
        // The push that is returned from was never told.
        assert_eq!(play(&["- a", "a b", "x a"])[2], "new 2");
        assert_eq!(
            play(&["- a@1", "- b@2", "- a@3", "- b@2"])[2..],
            ["new 2", "late"]
        );
    }

    #[test]
    fn a_deleted_reference_begins_anew() {
        assert_eq!(play(&["- a", "a -", "- a"]), ["new 1", "new 0", "new 2"]);
    }

    #[test]
    fn a_poll_that_began_before_the_last_move_tells_nothing() {
        let to = |seen_at| Move {
            repository: String::new(),
            reference: String::new(),
            before: None,
            commit: Some("a".to_owned()),
            at: None,
            seen_at: Some(seen_at),
        };
        let position = Position {
            head: Some("b".to_owned()),
            moved_at: 5,
            visits: Some(1),
            ..Position::default()
        };
        assert_eq!(standing(&to(4), &position), Standing::Late);
        assert_eq!(standing(&to(6), &position), Standing::New { visit: 2 });
    }
}
